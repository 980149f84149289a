package dev.elman.cuda;

/**
 * Weights as their transposes, for many products that they are the right factor of. In TF32 tensor cores take both factors along
 * the index that is summed; of b as it lies, cuBLAS turns each tile on its way. On an H200 a b^T took 0.75, 0.92 and 0.84 of the
 * time of a b with 65,536 rows and 512, 1,024 and 2,048 columns.
 */
final class TransposedWeights {
    /** In products of fewer, what making them takes is not won back. */
    static final int FEWEST_ROWS = 8192;

    private static final int TILE = 32;
    private static final int LINES = 8;
    /** Tiles of a column: a grid is not higher. */
    private static final int MOST_TILES = 65_535;

    private final KernelModule kernels;
    private final boolean on;
    private final Workspace workspace;

    /** @param on whether products are in TF32, and may sum in another order when there are more rows */
    TransposedWeights(CudaContext context, KernelModule kernels, boolean on) {
        this.kernels = kernels;
        this.on = on;
        this.workspace = new Workspace(context);
    }

    /**
     * Whether the products of so many rows in all are expected to be faster by them.
     *
     * @param terms rows of w
     */
    boolean pay(long rows, int terms) {
        return on && rows >= FEWEST_ROWS && tiles(terms) <= MOST_TILES;
    }

    /** Address of the transpose [C,M] of w [M,C], until the next call. */
    long of(long w, int rows, int columns) {
        long transposed = workspace.of(4L * rows * columns);
        if (rows == 0 || columns == 0) return transposed;
        kernels.get(Kernel.TRANSPOSE)
                .pointer(w)
                .pointer(transposed)
                .count(rows)
                .count(columns)
                .launch(tiles(columns), tiles(rows), TILE, LINES);
        return transposed;
    }

    private static int tiles(int extent) {
        return (extent + TILE - 1) / TILE;
    }
}
