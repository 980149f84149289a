package dev.elman.cuda;

import java.util.Map;

/**
 * Matrix products by kernels of our own, always in strict float32: for machines with a driver and no cuBLAS. An element's
 * sum runs in the order of k whatever the other sizes are; kernels/gemm.cu says more.
 */
final class OwnBlas extends Blas {
    private static final int THREADS = 256;
    /** Slices of k are worth their detour through memory from here on, and whole slabs of every tile. */
    private static final int LEAST_PER_SLICE = 256;

    private static final int SLAB = 32;
    /** Blocks that keep any GPU busy; the bits of a gradient must not depend on which GPU it is. */
    private static final long ENOUGH_BLOCKS = 512;

    private static final long MOST_PER_SLICE = 1L << 30;

    private static final Map<Form, Map<Tile, Kernel>> KERNELS = Map.of(
            Form.NN,
            Map.of(Tile.LARGE, Kernel.GEMM_NN_128, Tile.MIDDLE, Kernel.GEMM_NN_64, Tile.SMALL, Kernel.GEMM_NN_32),
            Form.NT,
            Map.of(Tile.LARGE, Kernel.GEMM_NT_128, Tile.MIDDLE, Kernel.GEMM_NT_64, Tile.SMALL, Kernel.GEMM_NT_32),
            Form.TN,
            Map.of(Tile.LARGE, Kernel.GEMM_TN_128, Tile.MIDDLE, Kernel.GEMM_TN_64, Tile.SMALL, Kernel.GEMM_TN_32));

    private final KernelModule kernels;
    private final ColumnSums sums;
    private final Workspace partial;
    private final int multiprocessors;

    OwnBlas(CudaContext context, KernelModule kernels, int multiprocessors) {
        super(context);
        this.kernels = kernels;
        this.multiprocessors = multiprocessors;
        sums = new ColumnSums(kernels, new Workspace(context));
        partial = new Workspace(context);
    }

    /**
     * The square of c that one block makes, with the cycles that a multiprocessor is taken to need for a value of k; only the large
     * one was measured, see kernels/gemm.cu.
     */
    enum Tile {
        LARGE(128, 128),
        MIDDLE(64, 40),
        SMALL(32, 20);

        private final int side;
        private final int cycles;

        Tile(int side, int cycles) {
            this.side = side;
            this.cycles = cycles;
        }

        long blocks(long m, long n) {
            return across(m) * across(n);
        }

        private long across(long extent) {
            return (extent + side - 1) / side;
        }

        /** The one that should be done first. The choice changes no bit. */
        static Tile of(long m, long n, long slices, int multiprocessors) {
            Tile best = LARGE;
            for (Tile tile : values()) {
                if (tile.time(m, n, slices, multiprocessors) < best.time(m, n, slices, multiprocessors)) best = tile;
            }
            return best;
        }

        private long time(long m, long n, long slices, int multiprocessors) {
            return (blocks(m, n) * slices + multiprocessors - 1) / multiprocessors * cycles;
        }
    }

    /**
     * Into how many parts the sum over k is cut, or fewer, since their lengths are rounded up: where c is too small to occupy a
     * GPU and k is long. Memory is taken for so many, so that a shorter k never needs more.
     */
    static long slices(Form form, long m, long n, long k) {
        if (form != Form.TN) return 1;
        long least = (k + MOST_PER_SLICE - 1) / MOST_PER_SLICE;
        long useful = (k + LEAST_PER_SLICE - 1) / LEAST_PER_SLICE;
        return Math.max(least, Math.min(useful, Math.max(1, ENOUGH_BLOCKS / Tile.MIDDLE.blocks(m, n))));
    }

    private static long perSlice(Form form, long m, long n, long k) {
        long wanted = slices(form, m, n, k);
        return ((k + wanted - 1) / wanted + SLAB - 1) / SLAB * SLAB;
    }

    @Override
    void take(Form form, long m, long n, long k) {
        long slices = slices(form, m, n, k);
        if (slices == 1) return;
        partial.of(4 * slices * m * n);
        sums.reserve(slices, m * n);
    }

    @Override
    void product(Form form, boolean add, long a, long b, long c, long m, long n, long k) {
        long perSlice = perSlice(form, m, n, k);
        long slices = (k + perSlice - 1) / perSlice;
        if (slices == 1) {
            launch(form, add, a, b, c, m, n, k, perSlice, 1);
            return;
        }
        long parts = partial.of(4 * slices(form, m, n, k) * m * n);
        launch(form, false, a, b, parts, m, n, k, perSlice, slices);
        if (!add) context().fill(c, m * n, 0);
        sums.add(parts, slices, m * n, c);
    }

    private void launch(
            Form form, boolean add, long a, long b, long c, long m, long n, long k, long perSlice, long slices) {
        Tile tile = Tile.of(m, n, slices, multiprocessors);
        kernels.get(KERNELS.get(form).get(tile))
                .pointer(a)
                .count(form == Form.TN ? m : k)
                .pointer(b)
                .count(form == Form.NT ? k : n)
                .pointer(c)
                .count(n)
                .integer(add ? 1 : 0)
                .integer(Math.toIntExact(tile.across(n)))
                .count(m)
                .count(n)
                .count(k)
                .count(perSlice)
                .count(m * n)
                .launch(Math.toIntExact(tile.blocks(m, n)), Math.toIntExact(slices), THREADS, 1);
    }

    @Override
    String description() {
        return "strict float32, own products without cuBLAS";
    }

    @Override
    double unitRoundoff() {
        return 0x1p-24;
    }

    @Override
    double operationsPerMicro() {
        return Speeds.OWN_OPERATIONS;
    }

    @Override
    boolean sameBitsByRow() {
        return true;
    }
}
