package dev.elman.cpu;

import java.nio.FloatBuffer;

/**
 * OpenBLAS's kernels for small products, which it has for AVX-512: they copy nothing and take rows of any number, but up to
 * a million multiplications only, and they want the right factor to lie close together. So the right factor is laid out in
 * panels of 64 columns, the width of one pass of the kernel, and a product is cut into small ones. That runs at 92 to 100 %
 * of the processor's peak from four rows on, where the kernels for large products reach 35 % at 16 rows and 90 % at 1024,
 * because they lay out both factors in every call.
 *
 * <p>How a row is summed depends on its length alone, so its bits do not depend on the rows beside it, but for those of {@link
 * #rightInAnyOrder}.
 */
final class PanelGemm implements Gemm {
    private static final int WIDTH = Panels.WIDTH;
    private static final int VECTOR = Panels.VECTOR;
    private static final int DEPTH = Panels.DEPTH;

    /** Rows of a small product with a transposed left factor: few, for its rows are far apart in memory and come in pieces. */
    private static final int TRANSPOSED_ROWS = 24;

    /** Columns that a transposed product takes along while a block of its left factor is in the cache. */
    private static final int TRANSPOSED_COLUMNS = 4 * WIDTH;

    /** What copying an element takes, in arithmetic operations. */
    private static final int COPY = 16;

    /** As deep as a small product of 16 rows may be. */
    private static final int TRIAL_DEPTH = 960;

    /** Where floats are 2 apart: to add 1 leaves it as it is, to add more does not. */
    private static final float LARGE = 0x1p24f;

    private final PanelStore store = new PanelStore();

    /**
     * Whether the OpenBLAS of this process has those kernels. It chooses its kernels itself and has no function in this
     * binding that says which, so sums of a large number and many ones are asked: they stay that number only where the ones are
     * added to it one after the other, as those kernels do. The large ones cut a sum so long into pieces or lanes.
     */
    static boolean suits() {
        if (!System.getProperty("os.arch").matches("amd64|x86_64")) return false; // others may cut sums otherwise
        int factors = (WIDTH + VECTOR) * TRIAL_DEPTH;
        int results = WIDTH * VECTOR;
        OffHeap memory = OffHeap.allocate(Float.BYTES * (factors + results));
        try {
            FloatBuffer floats = memory.bytes().asFloatBuffer();
            for (int i = 0; i < factors; i++) floats.put(i, i < WIDTH ? LARGE : 1);
            long b = OpenBlas.address(memory.bytes());
            long a = b + (long) Float.BYTES * WIDTH * TRIAL_DEPTH;
            long c = b + (long) Float.BYTES * factors;
            OpenBlas.multiply(VECTOR, WIDTH, TRIAL_DEPTH, a, TRIAL_DEPTH, false, b, WIDTH, false, false, c, WIDTH);
            for (int i = 0; i < results; i++) {
                if (floats.get(factors + i) != LARGE) return false;
            }
            return true;
        } finally {
            memory.free();
        }
    }

    @Override
    public String description() {
        return OpenBlas.version() + " (its kernels for small products)";
    }

    @Override
    public boolean rowsAlone() {
        return true;
    }

    @Override
    public int fewestRows() {
        return 4;
    }

    /** Three rows take the kernel longer than four. */
    @Override
    public int madeRows(int rows) {
        return rows % 4 == 3 ? rows + 1 : rows;
    }

    @Override
    public int room(int columns, int rows, int terms) {
        return Panels.room(columns, rows, terms);
    }

    @Override
    public Factor right(Matrix b, boolean room, long rows) {
        Panels panels = store.open(b, room, rows);
        for (int panel = 0; panel < panels.toLayOut(); panel++) panels.layOut(panel);
        panels.setLaidOut();
        return panels;
    }

    @Override
    public Factor right(Matrix b, boolean room, long rows, Workers workers) {
        Panels panels = store.open(b, room, rows);
        long work = (long) COPY * b.rows() * WIDTH * panels.toLayOut();
        workers.run(panels.toLayOut(), work, (panel, scratch) -> panels.layOut(panel));
        panels.setLaidOut();
        return panels;
    }

    /** The kernels read a transposed factor as it is stored nearly as fast, but sum by lanes then. */
    @Override
    public Factor rightInAnyOrder(Matrix b, long rows, Workers workers) {
        if (!b.transposed() || rows > Panels.FEW_ROWS) return right(b, false, rows, workers);
        Matrix stored = b.transpose();
        return (a, rowOfA, c, rowOfC, count, add) ->
                multiplyTransposed(a.rows(rowOfA, count), stored, c.rows(rowOfC, count), add);
    }

    /** c = a b^T or c += a b^T, all as they are stored. */
    private static void multiplyTransposed(Matrix a, Matrix b, Matrix c, boolean add) {
        for (int row = 0; row < c.rows(); row += Panels.ROWS) {
            int rows = Math.min(Panels.ROWS, c.rows() - row);
            for (int column = 0; column < c.columns(); column += WIDTH) {
                int columns = Math.min(WIDTH, c.columns() - column);
                for (int depth = 0; depth == 0 || depth < a.columns(); depth += DEPTH) {
                    OpenBlas.multiply(
                            rows,
                            columns,
                            Math.min(DEPTH, a.columns() - depth),
                            a.address(row, depth),
                            Math.max(1, a.stride()),
                            false,
                            b.address(column, depth),
                            Math.max(1, b.stride()),
                            true,
                            add || depth > 0,
                            c.address(row, column),
                            c.stride());
                }
            }
        }
    }

    @Override
    public void close() {
        store.close();
    }

    @Override
    public float sumOfMagnitudes(Matrix matrix) {
        return OpenBlas.sumOfMagnitudes(matrix);
    }

    @Override
    public void addTransposed(Matrix a, Matrix b, Matrix c) {
        for (int from = 0; from < c.columns(); from += TRANSPOSED_COLUMNS) {
            int to = Math.min(c.columns(), from + TRANSPOSED_COLUMNS);
            for (int depth = 0; depth < a.rows(); depth += DEPTH) {
                int terms = Math.min(DEPTH, a.rows() - depth);
                for (int row = 0; row < c.rows(); row += TRANSPOSED_ROWS) {
                    int rows = Math.min(TRANSPOSED_ROWS, c.rows() - row);
                    for (int column = from; column < to; column += WIDTH) {
                        OpenBlas.multiply(
                                rows,
                                Math.min(WIDTH, to - column),
                                terms,
                                a.address(depth, row),
                                a.stride(),
                                true,
                                b.address(depth, column),
                                b.stride(),
                                false,
                                true,
                                c.address(row, column),
                                c.stride());
                    }
                }
            }
        }
    }

    @Override
    public void addRows(Matrix b, Matrix sum) {
        long ones = Constants.ofThread().ones();
        for (int column = 0; column < b.columns(); column += WIDTH) {
            int columns = Math.min(WIDTH, b.columns() - column);
            for (int row = 0; row < b.rows(); row += SUMMED_ROWS) {
                int rows = Math.min(SUMMED_ROWS, b.rows() - row);
                OpenBlas.multiply(
                        1,
                        columns,
                        rows,
                        ones,
                        SUMMED_ROWS,
                        false,
                        b.address(row, column),
                        b.stride(),
                        false,
                        true,
                        sum.address(0, column),
                        sum.stride());
            }
        }
    }
}
