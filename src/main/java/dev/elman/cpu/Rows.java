package dev.elman.cpu;

import dev.elman.backend.Constraint;
import dev.elman.backend.Dropout;
import dev.elman.backend.Operands;
import java.util.Arrays;

/** What works row by row: copies, masks, embeddings, dropout. */
final class Rows {
    /** Operations of a task, of whole rows. */
    private static final int TASK = 1 << 18;

    /** Tasks among which the rows of an embedding's gradient are dealt out. */
    private static final int DEALT = 16;

    private final Workers workers;

    Rows(Workers workers) {
        this.workers = workers;
    }

    private interface Row {
        void run(int row, Scratch scratch);
    }

    /** @param work operations for each element */
    private void forEach(int rows, int columns, int work, Row body) {
        int rowsAtOnce = (int) Math.max(1, TASK / Math.max(1, (long) work * columns));
        int tasks = (int) ((rows + rowsAtOnce - 1L) / rowsAtOnce);
        workers.run(tasks, (long) work * rows * columns, (task, scratch) -> {
            int end = (int) Math.min(rows, (task + 1L) * rowsAtOnce);
            for (int row = task * rowsAtOnce; row < end; row++) body.run(row, scratch);
        });
    }

    /** Copies columns, between rows of other widths. */
    void copyColumns(int rows, CpuTensor x, int widthX, int fromX, CpuTensor y, int widthY, int fromY, int columns) {
        forEach(rows, columns, 4, (row, scratch) -> x.copyTo(row * widthX + fromX, y, row * widthY + fromY, columns));
    }

    void mask(Operands.Matrix sizes, CpuTensor x, CpuIntTensor keep, CpuTensor y) {
        forEach(sizes.m(), sizes.c(), 4, (row, scratch) -> {
            float[] values = scratch.floats(0, sizes.c());
            if (keep.get(row) == 0) Arrays.fill(values, 0, sizes.c(), 0);
            else x.read(row * sizes.c(), values, sizes.c());
            y.write(row * sizes.c(), values, sizes.c());
        });
    }

    /** Every row of y = the same row. */
    void fill(CpuTensor row, CpuTensor y, int rows, int columns) {
        float[] values = row.toFloats();
        forEach(rows, columns, 2, (m, scratch) -> y.write(m * columns, values, columns));
    }

    void gather(Operands.Embedding sizes, CpuTensor table, CpuIntTensor ids, CpuTensor y) {
        forEach(
                sizes.m(),
                sizes.d(),
                4,
                (row, scratch) -> table.copyTo(ids.get(row) * sizes.d(), y, row * sizes.d(), sizes.d()));
    }

    /** One task owns a row of the table, so that its terms are added in the order of ids. */
    void scatterAdd(Operands.Embedding sizes, CpuIntTensor ids, CpuTensor dy, CpuTensor dTable) {
        int width = sizes.d();
        workers.run(DEALT, 8L * sizes.m() * width, (task, scratch) -> {
            float[] terms = scratch.floats(0, width);
            float[] sums = scratch.floats(1, width);
            for (int m = 0; m < sizes.m(); m++) {
                int id = ids.get(m);
                if (id % DEALT != task) continue;
                dy.read(m * width, terms, width);
                dTable.read(id * width, sums, width);
                for (int j = 0; j < width; j++) sums[j] += terms[j];
                dTable.write(id * width, sums, width);
            }
        });
    }

    /** Scales the columns of w; on one thread, for weights are small. */
    static void constrain(Constraint constraint, Operands.Matrix sizes, CpuTensor w) {
        int width = sizes.c();
        float[] row = new float[width];
        double[] squares = new double[width];
        for (int m = 0; m < sizes.m(); m++) {
            w.read(m * width, row, width);
            for (int c = 0; c < width; c++) squares[c] += (double) row[c] * row[c];
        }
        double[] factors = new double[width]; // a column that is tiny has one that no float holds
        for (int c = 0; c < width; c++) factors[c] = constraint.factor(Math.sqrt(squares[c]));
        for (int m = 0; m < sizes.m(); m++) {
            w.read(m * width, row, width);
            for (int c = 0; c < width; c++) row[c] = (float) (row[c] * factors[c]);
            w.write(m * width, row, width);
        }
    }

    void dropout(Dropout dropout, Operands.Sequence sizes, CpuTensor x, CpuTensor y) {
        Drop drop = new Drop(dropout, sizes.t() * sizes.n(), sizes.n(), sizes.c());
        forEach(drop.pieces(), Drop.PIECE, 64, (piece, scratch) -> {
            float[] values = scratch.floats(0, Drop.PIECE);
            drop.runs(piece, (element, at, count) -> x.read(element, values, at, count));
            drop.apply(piece, values, scratch.words());
            drop.runs(piece, (element, at, count) -> y.write(element, values, at, count));
        });
    }
}
