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
    private final long room;

    Ring(CudaContext context) {
        this(context, ROOM);
    }

    /** One that takes no more bytes than {@code room}, but for the fewest slots. */
    Ring(CudaContext context, long room) {
        this.context = context;
        this.workspace = new Workspace(context);
        this.room = room;
    }

    /** So many slots, a power of two, at an address. */
    record Slots(long address, int count) {}

    /** Empty slots of this many floats each, for so many steps. */
    Slots empty(long floats, int steps) {
        int slots = FEWEST_SLOTS;
        while (slots < MOST_SLOTS && slots < steps && 2 * 4 * floats * slots <= room) slots *= 2;
        long all = floats * slots;
        long address = workspace.of(4 * all);
        context.calls()
                .driver(
                        "cuMemsetD32Async",
                        all + " floats",
                        () -> JCudaDriver.cuMemsetD32Async(DeviceAddress.of(address), EMPTY, all, context.stream()));
        return new Slots(address, slots);
    }
}
