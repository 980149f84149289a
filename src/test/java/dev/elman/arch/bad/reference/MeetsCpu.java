package dev.elman.arch.bad.reference;

import dev.elman.arch.bad.cpu.MeetsReference;

/** The other half. */
public class MeetsCpu {
    MeetsReference sibling;
}
