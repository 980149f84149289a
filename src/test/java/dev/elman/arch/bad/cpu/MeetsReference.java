package dev.elman.arch.bad.cpu;

import dev.elman.arch.bad.reference.MeetsCpu;

/** One half of a cycle between two backends. */
public class MeetsReference {
    MeetsCpu sibling;
}
