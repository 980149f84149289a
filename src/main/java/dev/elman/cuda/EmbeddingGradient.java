package dev.elman.cuda;

/**
 * Adds rows to a table by id without atomics, so that the order and with it the bits are fixed: positions are sorted by
 * (id, position) with Batcher's bitonic network (1968), runs of equal ids are summed in chunks, and the pieces of runs
 * that cross chunks are joined in order.
 */
final class EmbeddingGradient {
    /** Keys that one block of sort_tile sorts. */
    private static final long TILE = 512;

    private static final long CHUNK = 64;

    private final KernelModule kernels;
    private final Workspace keySpace;
    private final Workspace pieceSpace;

    EmbeddingGradient(KernelModule kernels, Workspace keySpace, Workspace pieceSpace) {
        this.kernels = kernels;
        this.keySpace = keySpace;
        this.pieceSpace = pieceSpace;
    }

    /** For every m of the {@code size}, adds row m of dy [size,columns] to row ids[m] of dTable. */
    void add(long ids, long size, long dy, long columns, long dTable) {
        if (size == 0 || columns == 0) return;
        long padded = TILE;
        while (padded < size) padded *= 2;
        long keys = keySpace.of(8 * padded);
        kernels.get(Kernel.EMBEDDING_KEYS)
                .pointer(ids)
                .count(size)
                .pointer(keys)
                .count(padded)
                .over(4 * padded);
        sort(keys, padded);

        long chunks = (size + CHUNK - 1) / CHUNK;
        long pieces = pieceSpace.of(2 * 4 * chunks * columns);
        kernels.get(Kernel.EMBEDDING_BACKWARD_CHUNKS)
                .pointer(keys)
                .count(size)
                .count(CHUNK)
                .pointer(dy)
                .count(columns)
                .pointer(dTable)
                .pointer(pieces)
                .over(chunks, columns);
        kernels.get(Kernel.EMBEDDING_BACKWARD_JOINS)
                .pointer(keys)
                .count(size)
                .count(CHUNK)
                .count(columns)
                .pointer(pieces)
                .pointer(dTable)
                .over(chunks - 1, columns);
    }

    private void sort(long keys, long padded) {
        tile(keys, padded, 2, TILE);
        for (long length = 2 * TILE; length <= padded; length *= 2) {
            for (long distance = length / 2; distance >= TILE; distance /= 2) {
                kernels.get(Kernel.SORT_PASS)
                        .pointer(keys)
                        .count(padded)
                        .count(length)
                        .count(distance)
                        .over(4 * padded);
            }
            tile(keys, padded, length, length);
        }
    }

    private void tile(long keys, long padded, long firstLength, long lastLength) {
        kernels.get(Kernel.SORT_TILE)
                .pointer(keys)
                .count(firstLength)
                .count(lastLength)
                .blocks(padded / TILE, (int) TILE / 2);
    }
}
