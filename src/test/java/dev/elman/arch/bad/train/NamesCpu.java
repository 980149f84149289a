package dev.elman.arch.bad.train;

import dev.elman.arch.bad.cpu.MeetsReference;

/** Training that would run on one backend only. */
class NamesCpu {
    MeetsReference backend;
}
