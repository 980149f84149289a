package dev.elman.arch.bad.cli;

import picocli.CommandLine;

/** Breaks nothing: the command line may print, and has picocli. */
class Printer {
    CommandLine line;

    void print() {
        System.err.println(line);
    }
}
