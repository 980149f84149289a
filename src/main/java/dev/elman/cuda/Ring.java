package dev.elman.cuda;

import jcuda.driver.JCudaDriver;

/** Where the blocks of a cooperative launch leave numbers for each other: slots that begin empty. See kernels/grid.cu. */
final class Ring {
    /** A NaN that no instruction makes, as in the kernels. */
    private static final int EMPTY = 0x7ff0e1a0;

    private static final int FEWEST_SLOTS = 8;
    /** The more slots, the fewer fences. */
    private static final int MOST_SLOTS = 64;
    /** More would push other things out of the second-level cache. */
    private static final long ROOM = 8 << 20;

    private final CudaContext context;
    private final Workspace workspace;
    private int slots;

    Ring(CudaContext context) {
        this.context = context;
        this.workspace = new Workspace(context);
    }

    /** Address of empty slots of this many floats each. */
    long empty(long floats) {
        slots = MOST_SLOTS;
        while (slots > FEWEST_SLOTS && 4 * floats * slots > ROOM) slots /= 2;
        long all = floats * slots;
        long address = workspace.of(4 * all);
        context.calls()
                .driver(
                        "cuMemsetD32Async",
                        all + " floats",
                        () -> JCudaDriver.cuMemsetD32Async(DeviceAddress.of(address), EMPTY, all, context.stream()));
        return address;
    }

    /** How many there are, a power of two. */
    int slots() {
        return slots;
    }
}
