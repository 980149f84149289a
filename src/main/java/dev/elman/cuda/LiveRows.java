package dev.elman.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * The products over all steps made of the live rows under a mask alone: their rows of the operands are gathered, some
 * thousands at a time, multiplied, and the results put back where they belong. Under masks of rows of 1 to T steps that is half
 * of the arithmetic.
 *
 * <p>How many rows are live only the device knows, so a pass that uses it waits for the stream once; large ones alone do. In an
 * application's stream, which is waited for as little as can be, none does.
 */
final class LiveRows {
    /** Bytes that are gathered at a time: of so many rows products are as fast as of more. */
    private static final long ROOM = 32 << 20;
    /** Gathered matrices begin at multiples of so many floats. */
    private static final long ALIGNMENT = 64;

    private static final int THREADS = 256;
    /** Elements of the mask that a block looks at. */
    private static final int ELEMENTS = 4 * THREADS;

    /**
     * What half of the rows must save. Counting takes some 30, in which the device has nothing to do until the host knows, and it is
     * in vain where nearly all rows are live, as in batches of like lengths.
     */
    private static final double LEAST_MICROS = 150;

    private final CudaContext context;
    private final KernelModule kernels;
    private final Blas blas;
    private final Elementwise elementwise;
    private final boolean always;
    private final long room;
    private final Workspace numbers;
    private final Workspace gathered;

    /** @param always whether it is used for every mask, whatever the sizes */
    LiveRows(CudaContext context, KernelModule kernels, Blas blas, boolean always) {
        this(context, kernels, blas, always, ROOM);
    }

    /** @param room bytes for the gathered rows */
    LiveRows(CudaContext context, KernelModule kernels, Blas blas, boolean always, long room) {
        this.context = context;
        this.kernels = kernels;
        this.blas = blas;
        this.elementwise = new Elementwise(context, kernels);
        this.always = always;
        this.room = room;
        this.numbers = new Workspace(context);
        this.gathered = new Workspace(context);
    }

    /**
     * What is to be done with every row.
     *
     * @param operations multiplications and additions
     * @param moved floats that are gathered or put back
     * @param cleared floats that are set to 0 before, of masked rows too
     * @param summed floats that each piece adds to, of all rows together
     * @param first columns of the first matrix that pieces have room for
     * @param second columns of the second one
     */
    record Work(double operations, int moved, int cleared, long summed, int first, int second) {}

    /**
     * Some of the live rows.
     *
     * @param numbers address of their numbers
     * @param rows how many
     * @param first address of memory for so many rows of the first width
     * @param second the same of the second
     */
    record Piece(long numbers, int rows, long first, long second) {}

    /**
     * All live rows in their order, piece by piece, each of which is done with before the next one begins; null where there is
     * no mask, the backend is attached, or products over all rows are expected to take no longer. They hold until the next call.
     *
     * @param directions that will be multiplied so, which share the pass's mask and what counting takes
     */
    List<Piece> pieces(Recurrence pass, int directions, Work work) {
        long rows = pass.rows();
        if (pass.mask() == 0 || !context.owned() || rows == 0) return null;
        long most = room / (4L * Math.max(1, work.first() + work.second()));
        int perPiece = (int) Math.max(1, Math.min(most, rows));
        double whole = rows * work.operations() / blas.operationsPerMicro();
        if (!always && directions * saved(whole, work, rows, rows / 2, perPiece) < LEAST_MICROS) return null;
        // Memory for this many rows is taken whatever the mask says: after a first pass no smaller one asks for more.
        long second = 4 * aligned((long) perPiece * work.first());
        long memory = gathered.of(second + 4L * perPiece * work.second());
        long found = numbers.of(4 * (rows + blocks(rows) + 1));
        int live = count(pass.mask(), rows, found);
        if (!always && saved(whole, work, rows, live, perPiece) <= 0) return null;
        List<Piece> pieces = new ArrayList<>();
        for (long from = 0; from < live; from += perPiece) {
            int count = (int) Math.min(perPiece, live - from);
            pieces.add(new Piece(found + 4 * from, count, memory, memory + second));
        }
        return pieces;
    }

    /** Microseconds, counting not counted; {@code whole} is what the products over all rows take. */
    private static double saved(double whole, Work work, long rows, long live, int perPiece) {
        double pieces = Math.ceil((double) live / perPiece);
        double floats = 2.0 * live * work.moved() + (double) rows * work.cleared() + 2 * pieces * work.summed();
        return whole * (rows - live) / rows - 4 * floats / Speeds.BYTES_PER_MICRO;
    }

    private static long blocks(long size) {
        return (size + ELEMENTS - 1) / ELEMENTS;
    }

    /** Leaves the numbers of the live rows at an address, with the blocks' counts behind as many as there are rows. */
    private int count(long mask, long size, long found) {
        long blocks = blocks(size);
        long counts = found + 4 * size;
        kernels.get(Kernel.LIVE_COUNTS)
                .pointer(mask)
                .count(size)
                .pointer(counts)
                .blocks(blocks, THREADS);
        kernels.get(Kernel.LIVE_ROWS)
                .pointer(mask)
                .count(size)
                .pointer(counts)
                .pointer(found)
                .blocks(blocks, THREADS);
        int[] live = {0};
        context.staging().download(counts + 4 * blocks, 1, (buffer, from, count) -> live[0] = buffer.getInt(0));
        return live[0];
    }

    /** y = the piece's rows of x, which has all. */
    void gather(Piece piece, long x, long y, int columns) {
        elementwise.gatherRows(x, piece.numbers(), y, piece.rows(), columns);
    }

    /** The piece's rows of y, which has all, = x. */
    void scatter(Piece piece, long x, long y, int columns) {
        elementwise.scatterRows(x, piece.numbers(), y, piece.rows(), columns);
    }

    private static long aligned(long floats) {
        return (floats + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
