package dev.elman.cuda;

/**
 * Adds the rows of a matrix up, as a tree whose shape depends on the number of rows alone: first chunks of rows, then the
 * chunks' sums.
 */
final class ColumnSums {
    private static final int MOST_CHUNKS = 256;
    private static final int SMALLEST_CHUNK = 64;
    private static final int TILE_COLUMNS = 32;
    private static final int TILE_ROWS = 8;

    private final KernelModule kernels;
    private final Workspace workspace;

    ColumnSums(KernelModule kernels, Workspace workspace) {
        this.kernels = kernels;
        this.workspace = workspace;
    }

    /** So many chunks or, since their rows are rounded up, fewer. */
    private static long mostChunks(long rows) {
        return Math.min((rows + SMALLEST_CHUNK - 1) / SMALLEST_CHUNK, MOST_CHUNKS);
    }

    private static long perChunk(long rows) {
        long most = mostChunks(rows);
        return (rows + most - 1) / most;
    }

    /** Takes the memory that the sum of so many rows needs, as {@link Blas#reserve}. */
    void reserve(long rows, long columns) {
        if (rows > SMALLEST_CHUNK && columns > 0) partial(rows, columns);
    }

    /** Address of memory for the sums of the chunks: never more for fewer rows. */
    private long partial(long rows, long columns) {
        return workspace.of(4 * mostChunks(rows) * columns);
    }

    /** y [columns] += the sum of the rows of x [rows,columns]. */
    void add(long x, long rows, long columns, long y) {
        if (rows == 0 || columns == 0) return;
        long perChunk = perChunk(rows);
        long chunks = (rows + perChunk - 1) / perChunk;
        if (chunks == 1) {
            level(x, rows, columns, rows, y, 1);
            return;
        }
        long partial = partial(rows, columns);
        level(x, rows, columns, perChunk, partial, 0);
        level(partial, chunks, columns, chunks, y, 1);
    }

    private void level(long x, long rows, long columns, long perChunk, long y, int add) {
        kernels.get(Kernel.COLUMN_SUMS)
                .pointer(x)
                .count(rows)
                .count(columns)
                .count(perChunk)
                .pointer(y)
                .integer(add)
                .launch(
                        (int) ((columns + TILE_COLUMNS - 1) / TILE_COLUMNS),
                        (int) ((rows + perChunk - 1) / perChunk),
                        TILE_COLUMNS,
                        TILE_ROWS);
    }
}
