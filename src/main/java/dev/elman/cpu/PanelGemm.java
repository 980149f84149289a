package dev.elman.cpu;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * OpenBLAS's kernels for small products, which it has for AVX-512: they copy nothing and take rows of any number, but up to
 * a million multiplications only, and they want the right factor to lie close together. So the right factor is laid out
 * once in panels of 64 columns, the width of one pass of the kernel, and a product is cut into small ones. That runs at
 * 92 to 100 % of the processor's peak from four rows on, where the kernels for large products reach 35 % at 16 rows and 90 %
 * at 1024, because they lay out both factors in every call.
 *
 * <p>How a row is summed depends on its length alone, so its bits do not depend on the rows beside it.
 */
final class PanelGemm implements Gemm {
    /** Columns of a panel: four vectors of 16. */
    private static final int WIDTH = 64;

    /** Terms of a small product: a panel's block stays in the second-level cache. */
    private static final int DEPTH = 256;

    /** With more terms, products are twice as deep: a few rows, which read all panels in every step, are faster so. */
    private static final int MANY_TERMS = 512;

    /** Multiplications in a product that the kernels for small ones take. */
    private static final int MOST_MULTIPLICATIONS = 1_000_000;

    /** Rows of a small product of DEPTH terms. */
    private static final int ROWS = 60;

    /** The same with a transposed left factor: few, for its rows are far apart in memory and come in pieces. */
    private static final int TRANSPOSED_ROWS = 24;

    /** Rows that the kernels work on at a time. */
    private static final int FOUR = 4;

    /** Columns that a transposed product takes along while a block of its left factor is in the cache. */
    private static final int TRANSPOSED_COLUMNS = 4 * WIDTH;

    /** What copying an element takes, in arithmetic operations. */
    private static final int COPY = 16;

    /** With up to this many columns beside a vector, the kernel sums by lanes from 32 terms on, and then by rows. */
    private static final int FEW_COLUMNS = 8;

    private static final int FEW_COLUMNS_DEPTH = 31;
    private static final int VECTOR = 16;

    /** As deep as a small product of 16 rows may be, so that the call itself, interpreted at first, weighs little. */
    private static final int TRIAL_DEPTH = 960;

    private static final int TRIALS = 20;

    /**
     * From this many columns on, a panel of a right factor of so many rows is filled up to WIDTH with zeros, and its products
     * are made apart: the kernel takes 48 columns in two passes, 49 to 63 in three, which cost up to 1.6 times what the one of
     * 64 does.
     */
    private static final int NEARLY_WIDE = 49;

    private static final int WORTH_FILLING = 200;

    private static final float[] ZEROS = new float[WIDTH];

    private static final ThreadLocal<WideResult> WIDE_RESULT = ThreadLocal.withInitial(WideResult::allocate);

    /** Memory of closed factors. */
    private final Deque<OffHeap> free = new ArrayDeque<>();

    /**
     * Whether the OpenBLAS of this process has those kernels. It chooses its kernels itself and has no function in this
     * binding that says which, so the clock is asked: a
     * single row costs the small kernels 3 times what it costs them among 16, the large ones 11 times.
     */
    static boolean suits() {
        OffHeap memory = OffHeap.allocate(Float.BYTES * (WIDTH + VECTOR) * TRIAL_DEPTH + Float.BYTES * WIDTH * VECTOR);
        try {
            return nanosPerRow(memory, 1) < 6 * nanosPerRow(memory, VECTOR);
        } finally {
            memory.free();
        }
    }

    /** The fastest of several tries, so that what else the machine does is no matter. */
    private static double nanosPerRow(OffHeap memory, int rows) {
        long b = OpenBlas.address(memory.bytes());
        long a = b + (long) Float.BYTES * WIDTH * TRIAL_DEPTH;
        long c = a + (long) Float.BYTES * VECTOR * TRIAL_DEPTH;
        long best = Long.MAX_VALUE;
        for (int attempt = 0; attempt < TRIALS; attempt++) {
            long start = System.nanoTime();
            OpenBlas.multiply(rows, WIDTH, TRIAL_DEPTH, a, TRIAL_DEPTH, false, b, WIDTH, false, false, c, WIDTH);
            best = Math.min(best, System.nanoTime() - start);
        }
        return (double) best / rows;
    }

    @Override
    public String description() {
        return OpenBlas.version() + ", its kernels for small products";
    }

    @Override
    public boolean rowsAlone() {
        return true;
    }

    @Override
    public int fewestRows() {
        return 4;
    }

    @Override
    public Factor right(Matrix b) {
        if (ready(b)) return new Panels(null, b);
        OffHeap memory = take(b);
        for (int panel = 0; panel < panels(b); panel++) copy(b, panel, memory);
        return new Panels(memory, b);
    }

    @Override
    public Factor right(Matrix b, Workers workers) {
        if (ready(b)) return new Panels(null, b);
        OffHeap memory = take(b);
        workers.run(panels(b), (long) COPY * b.rows() * b.columns(), (panel, scratch) -> copy(b, panel, memory));
        return new Panels(memory, b);
    }

    /** Whether it is a panel as it is stored. */
    private static boolean ready(Matrix b) {
        return !b.transposed() && b.columns() <= WIDTH && b.stride() <= 2 * WIDTH && !filled(b.columns(), b.rows());
    }

    /** Whether a panel of so many columns and rows is filled up. */
    private static boolean filled(int width, int rows) {
        return width >= NEARLY_WIDE && width < WIDTH && rows >= WORTH_FILLING;
    }

    /** Elements from one row of a panel to the next, once it is laid out. */
    private static int stride(int width, int rows) {
        return filled(width, rows) ? WIDTH : width;
    }

    private static int panels(Matrix b) {
        return (b.columns() + WIDTH - 1) / WIDTH;
    }

    /** Lays out panel {@code number} of b, [rows, stride]. */
    private static void copy(Matrix b, int number, OffHeap memory) {
        int first = number * WIDTH;
        int begin = first * b.rows();
        Matrix panel = b.columns(first, Math.min(WIDTH, b.columns() - first));
        FloatBuffer packed = memory.bytes().asFloatBuffer();
        FloatBuffer from = panel.memory().floats();
        int width = panel.columns();
        int stride = stride(width, panel.rows());
        if (stride > width) {
            for (int row = 0; row < panel.rows(); row++) {
                packed.put(begin + row * stride + width, ZEROS, 0, stride - width);
            }
        }
        if (!panel.transposed()) {
            for (int row = 0; row < panel.rows(); row++) {
                packed.put(begin + row * stride, from, panel.offset() + row * panel.stride(), width);
            }
            return;
        }
        float[] column = new float[panel.rows()];
        for (int j = 0; j < width; j++) {
            from.get(panel.offset() + j * panel.stride(), column, 0, column.length);
            for (int row = 0; row < column.length; row++) packed.put(begin + row * stride + j, column[row]);
        }
    }

    /** Memory that a closed factor left, or new memory in its place. */
    private synchronized OffHeap take(Matrix b) {
        int whole = b.columns() / WIDTH * WIDTH;
        int bytes = b.rows() * (whole + stride(b.columns() - whole, b.rows())) * Float.BYTES;
        OffHeap largest = free.pollLast();
        if (largest != null && largest.bytes().capacity() >= bytes) return largest;
        if (largest != null) largest.free();
        return OffHeap.allocate(bytes);
    }

    private synchronized void giveBack(OffHeap memory) {
        if (free.isEmpty()
                || free.peekLast().bytes().capacity() <= memory.bytes().capacity()) free.addLast(memory);
        else free.addFirst(memory);
    }

    @Override
    public synchronized void close() {
        free.forEach(OffHeap::free);
        free.clear();
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
        for (int column = 0; column < b.columns(); column += WIDTH) {
            int columns = Math.min(WIDTH, b.columns() - column);
            for (int row = 0; row < b.rows(); row += SUMMED_ROWS) {
                int rows = Math.min(SUMMED_ROWS, b.rows() - row);
                OpenBlas.multiply(
                        1,
                        columns,
                        rows,
                        OpenBlas.ones(),
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

    /** Columns {@code column} to {@code column + width} - 1 of a right factor, to be multiplied {@code depth} terms at a time. */
    private record Panel(long address, int stride, int column, int width, int depth) {}

    /** Where one thread makes products of filled panels, [ROWS, WIDTH]. */
    private record WideResult(FloatBuffer floats, long address) {
        static WideResult allocate() {
            ByteBuffer bytes = OffHeap.collected(Float.BYTES * ROWS * WIDTH);
            return new WideResult(bytes.asFloatBuffer(), OpenBlas.address(bytes));
        }

        void copyFrom(Matrix c, int row, int rows, Panel panel) {
            for (int i = 0; i < rows; i++) {
                floats.put(i * WIDTH, c.memory().floats(), index(c, row + i, panel), panel.width);
            }
        }

        void copyTo(Matrix c, int row, int rows, Panel panel) {
            for (int i = 0; i < rows; i++) {
                c.memory().floats().put(index(c, row + i, panel), floats, i * WIDTH, panel.width);
            }
        }

        private static int index(Matrix c, int row, Panel panel) {
            return c.offset() + row * c.stride() + panel.column;
        }
    }

    /** A right factor [length, columns]. */
    private final class Panels implements Factor {
        /** Null where the matrix itself is the only panel. */
        private final OffHeap memory;

        private final Panel[] panels;
        private final int length;

        /** Rows that the deepest of the panels' products takes at most. */
        private final int mostRows;

        Panels(OffHeap memory, Matrix b) {
            this.memory = memory;
            this.length = b.rows();
            long begin = memory == null ? b.address() : OpenBlas.address(memory.bytes());
            int deep = evenly(length <= MANY_TERMS ? DEPTH : 2 * DEPTH);
            mostRows = Math.min(ROWS, MOST_MULTIPLICATIONS / (WIDTH * deep) / FOUR * FOUR);
            List<Panel> all = new ArrayList<>();
            for (int column = 0; column < b.columns(); column += WIDTH) {
                int width = Math.min(WIDTH, b.columns() - column);
                int stride = memory == null ? b.stride() : stride(width, length);
                long address = begin + (long) Float.BYTES * column * length;
                add(all, new Panel(address, stride, column, width, deep));
            }
            panels = all.toArray(Panel[]::new);
        }

        private void add(List<Panel> all, Panel panel) {
            int rest = panel.width % VECTOR;
            if (filled(panel.width, length) || rest == 0 || rest > FEW_COLUMNS || length <= FEW_COLUMNS_DEPTH) {
                all.add(panel);
                return;
            }
            int whole = panel.width - rest;
            if (whole > 0) all.add(new Panel(panel.address, panel.stride, panel.column, whole, panel.depth));
            long address = panel.address + (long) Float.BYTES * whole;
            all.add(new Panel(address, panel.stride, panel.column + whole, rest, evenly(FEW_COLUMNS_DEPTH)));
        }

        /** The length in blocks of one size, as large as {@code most}. */
        private int evenly(int most) {
            int blocks = Math.max(1, (length + most - 1) / most);
            return Math.max(1, (length + blocks - 1) / blocks);
        }

        @Override
        public void multiply(Matrix a, int rowOfA, Matrix c, int rowOfC, int rows, boolean add) {
            int chunks = (rows + mostRows - 1) / mostRows;
            for (int chunk = 0; chunk < chunks; chunk++) {
                int from = begin(chunk, chunks, rows);
                int count = begin(chunk + 1, chunks, rows) - from;
                for (Panel panel : panels) multiply(panel, a, rowOfA + from, c, rowOfC + from, count, add);
            }
        }

        /** Chunks of nearly one size, in fours, which the kernels like best, and none larger than it may be. */
        private static int begin(int chunk, int chunks, int rows) {
            int fours = (rows + FOUR - 1) / FOUR;
            return Math.min(rows, FOUR * (int) ((long) fours * chunk / chunks));
        }

        private void multiply(Panel panel, Matrix a, int rowOfA, Matrix c, int rowOfC, int rows, boolean add) {
            if (!filled(panel.width, length)) {
                long to = c.address(rowOfC, panel.column);
                multiply(panel, panel.width, a, rowOfA, to, c.stride(), rows, add);
                return;
            }
            WideResult wide = WIDE_RESULT.get();
            if (add) wide.copyFrom(c, rowOfC, rows, panel);
            multiply(panel, WIDTH, a, rowOfA, wide.address, WIDTH, rows, add);
            wide.copyTo(c, rowOfC, rows, panel);
        }

        private void multiply(
                Panel panel, int width, Matrix a, int rowOfA, long c, int strideOfC, int rows, boolean add) {
            for (int depth = 0; depth == 0 || depth < length; depth += panel.depth) {
                OpenBlas.multiply(
                        rows,
                        width,
                        Math.min(panel.depth, length - depth),
                        a.address(rowOfA, depth),
                        a.stride(),
                        false,
                        panel.address + (long) Float.BYTES * panel.stride * depth,
                        panel.stride,
                        false,
                        add || depth > 0,
                        c,
                        strideOfC);
            }
        }

        @Override
        public void close() {
            if (memory != null) giveBack(memory);
        }
    }
}
