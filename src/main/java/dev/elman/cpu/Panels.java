package dev.elman.cpu;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A right factor [length, columns] for OpenBLAS's kernels for small products, in panels of 64 columns: laid out, or for a few
 * rows as it is stored.
 */
final class Panels implements Gemm.Factor {
    /** Columns of a panel: four vectors. */
    static final int WIDTH = 64;

    /** Columns of a vector. */
    static final int VECTOR = 16;

    /** Terms of a small product: a panel's block stays in the second-level cache. */
    static final int DEPTH = 256;

    /** With more terms, products are twice as deep: a few rows, which read all panels in every step, are faster so. */
    private static final int MANY_TERMS = 512;

    /** Multiplications in a product that the kernels for small ones take. */
    private static final int MOST_MULTIPLICATIONS = 1_000_000;

    /** Rows of a small product of DEPTH terms. */
    static final int ROWS = 60;

    /** Rows that the kernels work on at a time. */
    private static final int FOUR = 4;

    /** With up to this many columns beside a vector, the kernel sums by lanes from 32 terms on, and then by rows. */
    private static final int FEW_COLUMNS = 8;

    private static final int FEW_COLUMNS_DEPTH = 31;

    /**
     * From this many columns on, a panel of a right factor of so many rows is filled up to WIDTH with zeros, and its products
     * are made apart: the kernel takes 48 columns in two passes, 49 to 63 in three, which cost up to 1.6 times what the one of
     * 64 does.
     */
    private static final int NEARLY_WIDE = 49;

    private static final int WORTH_FILLING = 200;

    /** For fewer rows the kernel takes 48 columns in more time than 64. */
    private static final int MANY_ROWS = 12;

    /** From so many terms on, and so many for each row, whole vectors are worth that the rows do not lie side by side. */
    private static final int TERMS_WORTH_ROOM = 64;

    private static final int TERMS_OF_A_ROW = 4;

    /** Rows of all products for which laying out takes longer than it saves. */
    static final int FEW_ROWS = 64;

    private static final float[] ZEROS = new float[WIDTH];

    private static final ThreadLocal<WideResult> WIDE_RESULT = ThreadLocal.withInitial(WideResult::allocate);

    private final Matrix b;

    /** Whether results have room for whole vectors. */
    private final boolean room;

    /** Panels that are used as they are stored, the first ones. */
    private final int stored;

    /** Of the other panels; null where there are none. */
    private final OffHeap memory;

    private final Runnable whenClosed;
    private final Panel[] panels;

    private boolean laidOut;

    private final int length;

    /** Rows that the deepest of the panels' products takes at most. */
    private final int mostRows;

    /** See {@link Gemm#room}. */
    static int room(int columns, int rows, int terms) {
        boolean worth = few(columns)
                ? terms > FEW_COLUMNS_DEPTH // whatever the rows, for the bits depend on it
                : terms >= Math.max(TERMS_WORTH_ROOM, TERMS_OF_A_ROW * rows);
        if (!worth || !fits(columns, terms)) return columns;
        int whole = columns / WIDTH * WIDTH;
        int vectors = (columns - whole + VECTOR - 1) / VECTOR;
        return whole + (vectors == 3 && rows < MANY_ROWS ? WIDTH : vectors * VECTOR);
    }

    /** Whether all panels fit into a buffer when the last one is filled up: it counts bytes in an int. */
    private static boolean fits(int columns, int rows) {
        return (long) rows * (columns + WIDTH) <= Memory.LARGEST;
    }

    /** Whether the last of so many columns are few. */
    private static boolean few(int columns) {
        int rest = columns % VECTOR;
        return rest > 0 && rest <= FEW_COLUMNS;
    }

    /** Whether a matrix of one panel is best used as it is stored, always. */
    static boolean storedWhole(Matrix b, boolean room) {
        return !b.transposed() && !room && b.columns() <= WIDTH && b.stride() <= 2 * WIDTH && !filled(b, b.columns());
    }

    /** Panels of any other that are best used as they are stored, the first ones: for a few rows those that are wide. */
    static int storedPanels(Matrix b, long rows) {
        return b.transposed() || rows > FEW_ROWS ? 0 : b.columns() / WIDTH;
    }

    /** Whether a panel of so many of its columns is filled up. */
    private static boolean filled(Matrix b, int width) {
        return width >= NEARLY_WIDE && width < WIDTH && b.rows() >= WORTH_FILLING && fits(b.columns(), b.rows());
    }

    /** Elements from one row of a panel to the next, once it is laid out. */
    private static int stride(Matrix b, int width, boolean room) {
        if (!room) return filled(b, width) ? WIDTH : width;
        if (width > 2 * VECTOR) return WIDTH;
        return width > VECTOR ? 2 * VECTOR : VECTOR;
    }

    /** What the other panels take laid out. */
    static int bytes(Matrix b, boolean room, int stored) {
        int columns = b.columns() - stored * WIDTH;
        int whole = columns / WIDTH * WIDTH;
        return Float.BYTES * b.rows() * (whole + stride(b, columns - whole, room));
    }

    /**
     * @param stored panels that are used as they are stored, the first ones; the bits are the same
     * @param memory at least {@link #bytes}; null where all are stored
     * @param whenClosed what happens then
     */
    Panels(Matrix b, boolean room, int stored, OffHeap memory, Runnable whenClosed) {
        this.b = b;
        this.room = room;
        this.stored = stored;
        this.memory = memory;
        this.whenClosed = whenClosed;
        this.length = b.rows();
        long begin = memory == null ? 0 : OpenBlas.address(memory.bytes());
        int deep = evenly(length <= MANY_TERMS ? DEPTH : 2 * DEPTH);
        mostRows = Math.min(ROWS, MOST_MULTIPLICATIONS / (WIDTH * deep) / FOUR * FOUR);
        List<Panel> all = new ArrayList<>();
        for (int column = 0; column < b.columns(); column += WIDTH) {
            int width = Math.min(WIDTH, b.columns() - column);
            int laidOut = column - stored * WIDTH;
            boolean asStored = laidOut < 0;
            int stride = asStored ? b.stride() : stride(b, width, room);
            long address = asStored ? b.address(0, column) : begin + (long) Float.BYTES * laidOut * length;
            add(all, new Panel(address, stride, column, width, deep));
        }
        panels = all.toArray(Panel[]::new);
    }

    private void add(List<Panel> all, Panel panel) {
        if (room || filled(b, panel.width) || !few(panel.width) || length <= FEW_COLUMNS_DEPTH) {
            all.add(panel);
            return;
        }
        int rest = panel.width % VECTOR;
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

    /** Whether none is used as it is stored, and none left to lay out. */
    boolean allLaidOut() {
        return stored == 0 && laidOut;
    }

    /** To be said when {@link #toLayOut} are laid out. */
    void setLaidOut() {
        laidOut = true;
    }

    /** Panels that are to be laid out before the first product, in any order. */
    int toLayOut() {
        return laidOut ? 0 : Math.max(0, (b.columns() + WIDTH - 1) / WIDTH - stored);
    }

    /** Number {@code number} of those, [length, stride]. */
    void layOut(int number) {
        int first = (stored + number) * WIDTH;
        int begin = number * WIDTH * length;
        Matrix panel = b.columns(first, Math.min(WIDTH, b.columns() - first));
        FloatBuffer packed = memory.bytes().asFloatBuffer();
        FloatBuffer from = panel.memory().floats();
        int width = panel.columns();
        int stride = stride(b, width, room);
        if (stride > width) {
            for (int row = 0; row < length; row++) {
                packed.put(begin + row * stride + width, ZEROS, 0, stride - width);
            }
        }
        if (!panel.transposed()) {
            for (int row = 0; row < length; row++) {
                packed.put(begin + row * stride, from, panel.offset() + row * panel.stride(), width);
            }
        } else if (Float.isFinite(OpenBlas.sumOfMagnitudes(panel.transpose()))) {
            transpose(panel, OpenBlas.address(memory.bytes()) + (long) Float.BYTES * begin, stride);
        } else {
            float[] column = new float[length];
            for (int j = 0; j < width; j++) {
                from.get(panel.offset() + j * panel.stride(), column, 0, length);
                for (int row = 0; row < length; row++) packed.put(begin + row * stride + j, column[row]);
            }
        }
    }

    /**
     * Lays a transposed panel of finite elements out as products with the identity, a vector of columns at a time: in a third of
     * the time that Java takes, whose stores go one by one. An element that is no number would spoil its neighbours, as 0 times
     * that is none.
     */
    private static void transpose(Matrix panel, long to, int stride) {
        int length = panel.rows();
        long identity = Constants.ofThread().identity();
        for (int column = 0; column < panel.columns(); column += VECTOR) {
            int columns = Math.min(VECTOR, panel.columns() - column);
            for (int row = 0; row < length; row += DEPTH) {
                OpenBlas.multiply(
                        Math.min(DEPTH, length - row),
                        columns,
                        columns,
                        panel.address() + Float.BYTES * ((long) column * panel.stride() + row),
                        panel.stride(),
                        true,
                        identity,
                        VECTOR,
                        false,
                        false,
                        to + Float.BYTES * ((long) row * stride + column),
                        stride);
            }
        }
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
        if (room || !filled(b, panel.width)) {
            int width = panel.width;
            if (room) width = Math.min(stride(b, width, true), c.columns() - panel.column);
            long to = c.address(rowOfC, panel.column);
            multiply(panel, width, a, rowOfA, to, c.stride(), rows, add);
            return;
        }
        WideResult wide = WIDE_RESULT.get();
        if (add) wide.copyFrom(c, rowOfC, rows, panel);
        multiply(panel, WIDTH, a, rowOfA, wide.address, WIDTH, rows, add);
        wide.copyTo(c, rowOfC, rows, panel);
    }

    private void multiply(Panel panel, int width, Matrix a, int rowOfA, long c, int strideOfC, int rows, boolean add) {
        for (int depth = 0; depth == 0 || depth < length; depth += panel.depth) {
            OpenBlas.multiply(
                    rows,
                    width,
                    Math.min(panel.depth, length - depth),
                    a.address(rowOfA, depth),
                    Math.max(1, a.stride()), // BLAS refuses 0, even where there is nothing
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
        whenClosed.run();
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
}
