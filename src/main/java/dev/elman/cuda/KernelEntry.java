package dev.elman.cuda;

/** A kernel as its file declares it. A test compares all of them with the PTX and with the sources. */
interface KernelEntry {
    /** Its name. */
    String entry();

    /** The file, without its ending. */
    String file();

    /**
     * The types of its parameters, in order: p for a pointer, l for 64 and i for 32 bits of integer, f for float, d for
     * double.
     */
    String parameters();

    /** Whether the driver compiles it only when it is first launched. */
    default boolean compiledAtLaunch() {
        return false;
    }

    /** Whether a device can run it. */
    default boolean runsOn(Device device) {
        return true;
    }
}
