package dev.elman.cpu;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Products in plain Java, for machines without a native BLAS. Row after row of c: four rows of b are added to it at once,
 * each an array of its own, because that is a loop C2 vectorises. Terms are added in one order whatever the shape.
 */
final class JavaGemm implements Gemm {
    /** Rows of b that lie on the heap at once; with usual widths they fit the second-level cache. */
    private static final int DEPTH = 128;

    /** A right factor of up to this many elements goes to the heap once for all its products. */
    private static final int WORTH_KEEPING = 1 << 21;

    private static final ThreadLocal<Rows> BLOCKS_OF_A = ThreadLocal.withInitial(Rows::new);
    private static final ThreadLocal<Rows> BLOCKS_OF_B = ThreadLocal.withInitial(Rows::new);

    private final String reason;

    /** @param reason why it is this one */
    JavaGemm(String reason) {
        this.reason = reason;
    }

    @Override
    public String description() {
        return "plain Java GEMM: " + reason;
    }

    @Override
    public boolean rowsAlone() {
        return true;
    }

    @Override
    public int fewestRows() {
        return 1;
    }

    @Override
    public void addTransposed(Matrix a, Matrix b, Matrix c) {
        right(b, false, c.rows()).multiply(a.transpose(), 0, c, 0, c.rows(), true);
    }

    @Override
    public void addRows(Matrix b, Matrix sum) {
        float[] total = new float[b.columns()];
        float[] part = new float[b.columns()];
        float[] row = new float[b.columns()];
        sum.memory().floats().get(sum.offset(), total);
        for (int from = 0; from < b.rows(); from += SUMMED_ROWS) {
            Arrays.fill(part, 0);
            for (int i = from; i < Math.min(b.rows(), from + SUMMED_ROWS); i++) {
                b.memory().floats().get(b.offset() + i * b.stride(), row);
                for (int j = 0; j < row.length; j++) part[j] += row[j];
            }
            for (int j = 0; j < part.length; j++) total[j] += part[j];
        }
        sum.memory().floats().put(sum.offset(), total);
    }

    @Override
    public Factor right(Matrix b, boolean room, long rows) {
        if ((long) b.rows() * b.columns() > WORTH_KEEPING) {
            Blocks streamed = depth -> BLOCKS_OF_B.get().fill(b, depth, depthFrom(depth, b.rows()));
            return (a, rowOfA, c, rowOfC, count, add) ->
                    multiply(a.rows(rowOfA, count), streamed, c.rows(rowOfC, count), add);
        }
        float[][][] blocks = new float[(b.rows() + DEPTH - 1) / DEPTH][][];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = new Rows().fill(b, i * DEPTH, depthFrom(i * DEPTH, b.rows()));
        }
        Blocks kept = depth -> blocks[depth / DEPTH];
        return (a, rowOfA, c, rowOfC, count, add) -> multiply(a.rows(rowOfA, count), kept, c.rows(rowOfC, count), add);
    }

    private static int depthFrom(int from, int rows) {
        return Math.min(DEPTH, rows - from);
    }

    private interface Blocks {
        float[][] from(int depth);
    }

    private static void multiply(Matrix a, Blocks b, Matrix c, boolean add) {
        FloatBuffer target = c.memory().floats();
        float[] sum = new float[c.columns()];
        float[] factors = new float[DEPTH];
        for (int depth = 0; depth == 0 || depth < a.columns(); depth += DEPTH) {
            int count = depthFrom(depth, a.columns());
            float[][] right = count == 0 ? null : b.from(depth);
            // a is read by its stored rows; transposed, these are its columns, and a row takes one element of each.
            float[][] columns = a.transposed() ? BLOCKS_OF_A.get().fill(a.transpose(), depth, count) : null;
            for (int i = 0; i < c.rows(); i++) {
                int row = c.offset() + i * c.stride();
                if (depth == 0 && !add) Arrays.fill(sum, 0);
                else target.get(row, sum, 0, sum.length);
                if (a.transposed()) {
                    for (int p = 0; p < count; p++) factors[p] = columns[p][i];
                } else {
                    a.memory().floats().get(a.offset() + i * a.stride() + depth, factors, 0, count);
                }
                addRows(sum, factors, right, count);
                target.put(row, sum, 0, sum.length);
            }
        }
    }

    private static void addRows(float[] sum, float[] factors, float[][] rows, int count) {
        int p = 0;
        for (; p + 4 <= count; p += 4) {
            addFour(sum, factors, p, rows[p], rows[p + 1], rows[p + 2], rows[p + 3]);
        }
        for (; p < count; p++) addOne(sum, factors[p], rows[p]);
    }

    private static void addFour(float[] sum, float[] factors, int p, float[] b0, float[] b1, float[] b2, float[] b3) {
        float a0 = factors[p];
        float a1 = factors[p + 1];
        float a2 = factors[p + 2];
        float a3 = factors[p + 3];
        for (int j = 0; j < sum.length; j++) sum[j] += a0 * b0[j] + a1 * b1[j] + a2 * b2[j] + a3 * b3[j];
    }

    private static void addOne(float[] sum, float a, float[] b) {
        for (int j = 0; j < sum.length; j++) sum[j] += a * b[j];
    }

    /** A block of rows of a matrix, one array each. */
    private static final class Rows {
        private float[][] rows = new float[0][];
        private float[] column = new float[0];

        /** Rows {@code from} to {@code from + count} - 1 of the matrix; void when called again. */
        float[][] fill(Matrix matrix, int from, int count) {
            if (rows.length < count) rows = Arrays.copyOf(rows, count);
            for (int p = 0; p < count; p++) {
                if (rows[p] == null || rows[p].length < matrix.columns()) rows[p] = new float[matrix.columns()];
            }
            FloatBuffer floats = matrix.memory().floats();
            if (!matrix.transposed()) {
                for (int p = 0; p < count; p++) {
                    floats.get(matrix.offset() + (from + p) * matrix.stride(), rows[p], 0, matrix.columns());
                }
                return rows;
            }
            if (column.length < count) column = new float[count];
            for (int j = 0; j < matrix.columns(); j++) {
                floats.get(matrix.offset() + j * matrix.stride() + from, column, 0, count);
                for (int p = 0; p < count; p++) rows[p][j] = column[p];
            }
            return rows;
        }
    }
}
