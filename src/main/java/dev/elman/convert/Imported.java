package dev.elman.convert;

/** A network that came from a file, and how. */
public record Imported(Network network, Report report) {}
