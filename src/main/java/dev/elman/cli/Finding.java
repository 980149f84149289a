package dev.elman.cli;

/**
 * One line of what {@code doctor} says.
 *
 * @param name what was looked for
 * @param ok whether it is there and works
 * @param blocking whether it lacks, and elman is of little use without it
 * @param detail what is there, or why it is not
 * @param remedy what to do; empty when there is nothing to do
 */
record Finding(String name, boolean ok, boolean blocking, String detail, String remedy) {
    static Finding there(String name, String detail) {
        return new Finding(name, true, false, detail, "");
    }

    /** Something that one can do without. */
    static Finding lacking(String name, String detail, String remedy) {
        return new Finding(name, false, false, detail, remedy);
    }

    /** Something that one cannot do without. */
    static Finding missing(String name, String detail) {
        return new Finding(name, false, true, detail, "");
    }
}
