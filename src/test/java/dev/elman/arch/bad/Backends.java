package dev.elman.arch.bad;

import dev.elman.arch.bad.cpu.MeetsReference;

/** Breaks nothing: the front door may name an implementation. */
class Backends {
    MeetsReference opened;
}
