package dev.elman.cpu;

import java.util.ArrayList;
import java.util.List;

/**
 * Products that run together, cut into tiles of their results. Tiles depend on the number of threads only where that changes
 * no bit.
 */
final class Tiles {
    /** Rows of a tile, unless there are very many: fewer would make OpenBLAS copy the right factor too often. */
    private static final int ROWS = 128;

    /** Tiles of such a product at most; enough threads have work then, so tiles rather grow. */
    private static final int MOST = 16;

    /** Rows at least of a tile of a transposed product that copies nothing; else as many as leave each thread a tile. */
    private static final int LEAST_TRANSPOSED_ROWS = 32;

    /**
     * Columns of a tile of a transposed product that copies nothing, and columns and rows of one of many elements that copies
     * both factors: the larger a tile, the less is read.
     */
    private static final int WIDE = 512;

    /** The same of one that copies fewer elements than {@link #MANY}. */
    private static final int NARROW = 256;

    private static final long MANY = 1 << 19;

    /**
     * Arithmetic operations; with fewer another processor takes as long to fetch the operands as it saves, and whoever writes them
     * next waits to have them back.
     */
    private static final long WORTH_CARRYING = 10_000_000;

    private final Gemm gemm;
    private final Workers workers;
    private final List<Runnable> tasks = new ArrayList<>();
    private long work;

    /** @param workers who will run them */
    Tiles(Gemm gemm, Workers workers) {
        this.gemm = gemm;
        this.workers = workers;
    }

    /** Plans c = a b, or c += a b, with b the matrix behind {@code right}. */
    Tiles multiply(Matrix a, Gemm.Factor right, Matrix c, boolean add) {
        Parts parts = Parts.ofAtMost(Math.max(ROWS, (c.rows() + MOST - 1) / MOST), c.rows());
        for (int part = 0; part < parts.count(); part++) {
            int from = parts.from(part);
            int rows = parts.size(part);
            tasks.add(() -> right.multiply(a, from, c, from, rows, add));
        }
        work += 2L * c.rows() * c.columns() * a.columns();
        return this;
    }

    /** Plans c += a^T b. */
    Tiles addTransposed(Matrix a, Matrix b, Matrix c) {
        boolean wide = gemm.rowsAlone() || (long) c.rows() * c.columns() >= MANY;
        int width = wide ? WIDE : NARROW;
        int bands = (c.columns() + width - 1) / width;
        int most = gemm.rowsAlone() ? Math.max(LEAST_TRANSPOSED_ROWS, c.rows() * bands / workers.threads()) : width;
        Parts rows = Parts.ofAtMost(most, c.rows());
        for (int i = 0; i < rows.count(); i++) {
            Matrix left = a.columns(rows.from(i), rows.size(i));
            Matrix band = c.rows(rows.from(i), rows.size(i));
            for (int column = 0; column < c.columns(); column += width) {
                int columns = Math.min(width, c.columns() - column);
                Matrix right = b.columns(column, columns);
                Matrix result = band.columns(column, columns);
                tasks.add(() -> gemm.addTransposed(left, right, result));
            }
        }
        work += 2L * c.rows() * c.columns() * a.rows();
        return this;
    }

    /** Plans sum += the sum of the rows of b. */
    Tiles addRows(Matrix b, Matrix sum) {
        for (int column = 0; column < sum.columns(); column += NARROW) {
            int columns = Math.min(NARROW, sum.columns() - column);
            Matrix band = b.columns(column, columns);
            Matrix result = sum.columns(column, columns);
            tasks.add(() -> gemm.addRows(band, result));
        }
        work += (long) b.rows() * b.columns();
        return this;
    }

    void run() {
        run(false);
    }

    /** @param near whether all operands are in the caches of the calling thread, since it alone computed them */
    void run(boolean near) {
        long shared = near && work < WORTH_CARRYING ? 0 : work;
        workers.run(tasks.size(), shared, (index, scratch) -> tasks.get(index).run());
    }
}
