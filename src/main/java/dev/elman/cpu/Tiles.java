package dev.elman.cpu;

import java.util.ArrayList;
import java.util.List;

/** Products that run together, cut into ranges of rows of their results. */
final class Tiles {
    /** Rows of a tile: fewer would make OpenBLAS copy the right factor too often. */
    private static final int ROWS = 128;

    /** Tiles of one product at most; enough threads have work then, so tiles rather grow. */
    private static final int MOST = 16;

    private final Gemm gemm;
    private final List<Workers.Task> tasks = new ArrayList<>();
    private long work;

    Tiles(Gemm gemm) {
        this.gemm = gemm;
    }

    /** Plans c = a b, or c += a b. */
    Tiles multiply(Matrix a, Matrix b, Matrix c, boolean add) {
        Gemm.Factor right = gemm.right(b);
        Parts parts = Parts.ofAtMost(Math.max(ROWS, (c.rows() + MOST - 1) / MOST), c.rows());
        for (int part = 0; part < parts.count(); part++) {
            Matrix rows = a.rows(parts.from(part), parts.size(part));
            Matrix result = c.rows(parts.from(part), parts.size(part));
            tasks.add((index, scratch) -> right.multiply(rows, result, add));
        }
        work += 2L * c.rows() * c.columns() * a.columns();
        return this;
    }

    void run(Workers workers) {
        workers.run(tasks.size(), work, (index, scratch) -> tasks.get(index).run(index, scratch));
    }
}
