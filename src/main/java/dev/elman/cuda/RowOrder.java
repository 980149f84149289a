package dev.elman.cuda;

/**
 * The rows under a mask by their number of live steps. A plan that takes several rows in a pass takes those of like lengths
 * together, so that its passes end with them: with padding on one side, that is; rows that begin and end anywhere win less. Who is
 * next to whom changes no bit of a row.
 */
final class RowOrder {
    /** In fewer, what the two launches take may not be won back. */
    static final int FEWEST_STEPS = 16;

    private static final int THREADS = 256;
    private static final int ROWS_OF_A_BLOCK = 32;

    private final KernelModule kernels;
    private final Workspace workspace;

    RowOrder(CudaContext context, KernelModule kernels) {
        this.kernels = kernels;
        this.workspace = new Workspace(context);
    }

    /**
     * Address of [3,N] integers: the rows, those with the most live steps first, the first live step of each and the step behind
     * its last one; 0 where there is no mask, or the sequence is too short to gain by it. They hold until the next call.
     */
    long ranks(Recurrence pass) {
        if (pass.mask() == 0 || pass.sizes().t() < FEWEST_STEPS) return 0;
        long rows = pass.sizes().n();
        long ranks = workspace.of(4 * 6 * rows);
        long spans = ranks + 4 * 3 * rows;
        kernels.get(Kernel.ROW_SPANS)
                .pointer(pass.mask())
                .count(pass.sizes().t())
                .count(rows)
                .pointer(spans)
                .blocks(blocks(rows, ROWS_OF_A_BLOCK), THREADS);
        kernels.get(Kernel.ROW_RANKS).pointer(spans).count(rows).pointer(ranks).blocks(blocks(rows, THREADS), THREADS);
        return ranks;
    }

    private static long blocks(long rows, int each) {
        return (rows + each - 1) / each;
    }
}
