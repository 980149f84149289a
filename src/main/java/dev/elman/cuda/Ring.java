package dev.elman.cuda;

/**
 * Where the blocks of a cooperative launch leave numbers for each other: slots that begin empty. See kernels/grid.cu and
 * tensor.cu.
 */
final class Ring {
    /** A NaN that no instruction makes, as in the kernels. */
    private static final int EMPTY = 0x7ff0e1a0;

    private static final int FEWEST_SLOTS = 8;
    /** The more slots, the fewer fences: one takes about 1 us on an H100, every quarter of the slots. */
    static final int MOST_SLOTS = 256;
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

    /**
     * Empty slots for so many steps. A smaller batch may have more of them, so its memory is taken now too.
     *
     * @param floats of a slot
     * @param most floats of a slot that this batch or a smaller one asks for
     */
    Slots empty(long floats, long most, int steps) {
        int slots = FEWEST_SLOTS;
        while (slots < MOST_SLOTS && slots < steps && 2 * 4 * floats * slots <= room) slots *= 2;
        long all = floats * slots;
        long address = workspace.of(Math.max(4 * FEWEST_SLOTS * most, room));
        context.fill(address, all, EMPTY);
        return new Slots(address, slots);
    }
}
