package dev.elman.arch.bad.extra;

/** Lives in a package that the drawing does not have. */
class Unplanned {}
