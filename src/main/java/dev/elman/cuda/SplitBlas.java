package dev.elman.cuda;

/**
 * cuBLAS in strict float32 whose large products are made of three in TF32, which tensor cores multiply six to eight times
 * faster: with each operand split into high + low, where high has TF32's 10 bits of mantissa, a b = high high + (high low +
 * low high) up to low low, which is 2^-22 of it. Known as 3xTF32, after Ootomo and Yokota, "Recovering single precision
 * accuracy from Tensor Cores while surpassing the FP32 theoretical peak performance", IJHPCA 2022.
 *
 * <p>That error is below float32's own once a few terms are summed. The other one is the tensor cores': they cut sums off
 * where a float32 unit rounds, which drags a sum towards 0 the more the longer it is. So no large product sums more than
 * {@value #MOST_TERMS} terms; longer sums are added up from such parts, rounded. The small products come first.
 *
 * <p>An infinity or NaN gives what it should, but for an infinity times an infinity, which is NaN here. Parts of low below
 * 2^-126 may be lost.
 *
 * <p>The parts of the operands lie in memory that is taken once, by the first product that needs it, and never moves: a
 * captured graph goes on using it. Tiles and choices depend on the sizes alone.
 */
final class SplitBlas extends Blas {
    /**
     * Every 8 terms, cutting off costs 2^-25 of the sum or a little more: 2^-19 in all, which is what float32's own roundings
     * come to in the root mean square after some 8,000 terms.
     */
    static final long MOST_TERMS = 512;

    private static final Tiles TILES = new Tiles(1 << 23, 4096, MOST_TERMS);

    /** A side below it leaves most of a tile of the tensor cores' kernels empty. */
    private static final long LEAST_SIDE = 256;
    /** The same of a^T b, whose sums are long: each stretch of them is a product that must fill a GPU by itself. */
    private static final long LEAST_SIDE_OF_STRETCHES = 2048;
    /** cuBLAS's kernels for tensor cores load 16 bytes at a time. */
    private static final long QUAD = 4;

    /** Of what cuBLAS reaches in TF32; these products are smaller. */
    private static final double SHARE_OF_SPEED = 0.75;
    /** A number is read once and written twice. */
    private static final double SPLIT_BYTES = 12;
    /** An element of c is read and written again for each stretch of terms. */
    private static final double SUM_BYTES = 8;
    /** Two splits and two more products than one, each of which starts when the one before has ended. */
    private static final double STARTS_MICROS = 8;
    /** The estimate must promise this much before it is believed. */
    private static final double LEAST_GAIN = 1.1;

    private final Cublas strict;
    private final KernelModule kernels;
    private final boolean always;
    private final Tiles tiles;
    /** Null until needed. */
    private Cublas rounding;

    private DeviceMemory parts;

    /**
     * How products are cut.
     *
     * @param part floats in a part, high or low, of a tile of an operand; four of them are held, 128 MiB of {@link #TILES}; a
     *     multiple of 64 and at least 4 * depth
     * @param depth the most of k in a tile, a multiple of 4
     * @param terms the most of k that tensor cores may sum at a stretch
     */
    record Tiles(long part, long depth, long terms) {
        long deep(long k) {
            return even(k, depth);
        }

        /** The length of the other side, m or n, beside that much of k. */
        long side(long extent, long deep) {
            return even(extent, part / deep);
        }

        /** Even lengths, at most {@code most}; multiples of 4 where there are several. */
        private static long even(long extent, long most) {
            if (extent <= most) return extent;
            long count = pieces(extent, most);
            return Math.min(most / QUAD * QUAD, pieces(pieces(extent, count), QUAD) * QUAD);
        }
    }

    /**
     * Products beside these.
     *
     * @param strict for the products that are not worth it; closed with this
     * @param always whether every product is split, whatever its size
     */
    SplitBlas(Cublas strict, KernelModule kernels, boolean always) {
        this(strict, kernels, always, TILES);
    }

    /** Products cut in other tiles. */
    SplitBlas(Cublas strict, KernelModule kernels, boolean always, Tiles tiles) {
        super(strict.context());
        this.strict = strict;
        this.kernels = kernels;
        this.always = always;
        this.tiles = tiles;
    }

    /** For people. */
    static String note(boolean always) {
        return (always ? "all" : "large") + " products as three of TF32 parts";
    }

    /** Whether three products are expected to take less time than one. */
    static boolean faster(Form form, long m, long n, long k) {
        if (Math.min(m, Math.min(n, k)) < LEAST_SIDE) return false;
        if (form == Form.TN && Math.min(m, n) < LEAST_SIDE_OF_STRETCHES) return false;
        long widthA = form == Form.TN ? m : k;
        long widthB = form == Form.NT ? k : n;
        if ((widthA | widthB | n) % QUAD != 0) return false;
        return LEAST_GAIN * splitMicros(m, n, k) < plainMicros(m, n, k);
    }

    static double plainMicros(long m, long n, long k) {
        return 2.0 * m * n * k / Speeds.FLOAT32_OPERATIONS;
    }

    static double splitMicros(long m, long n, long k) {
        long wide = TILES.side(n, TILES.deep(k));
        double splits = SPLIT_BYTES * ((double) pieces(n, wide) * m * k + (double) k * n);
        double sums = SUM_BYTES * m * n * pieces(k, MOST_TERMS);
        double products = 3 * 2.0 * m * n * k / (SHARE_OF_SPEED * Speeds.TF32_OPERATIONS);
        return products + (splits + sums) / Speeds.BYTES_PER_MICRO + STARTS_MICROS;
    }

    private boolean splits(Form form, long m, long n, long k) {
        return always || faster(form, m, n, k);
    }

    @Override
    void take(Form form, long m, long n, long k) {
        if (!splits(form, m, n, k)) return;
        if (parts == null) parts = new DeviceMemory(context(), 4 * 4 * tiles.part());
        if (rounding == null) rounding = new Cublas(context(), true);
    }

    @Override
    void product(Form form, boolean add, long a, long b, long c, long m, long n, long k) {
        if (!splits(form, m, n, k)) {
            strict.product(form, add, a, b, c, m, n, k);
            return;
        }
        take(form, m, n, k);
        long deep = tiles.deep(k);
        long tall = tiles.side(m, deep);
        long wide = tiles.side(n, deep);
        for (long j = 0; j < n; j += wide) {
            long columns = Math.min(wide, n - j);
            for (long l = 0; l < k; l += deep) {
                long terms = Math.min(deep, k - l);
                if (form == Form.NT) split(b, k, j, l, columns, terms, part(2));
                else split(b, n, l, j, terms, columns, part(2));
                for (long i = 0; i < m; i += tall) {
                    long rows = Math.min(tall, m - i);
                    if (form == Form.TN) split(a, m, l, i, terms, rows, part(0));
                    else split(a, k, i, l, rows, terms, part(0));
                    three(form, add || l > 0, c + 4 * (i * n + j), n, rows, columns, terms);
                }
            }
        }
    }

    /** The parts of [rows,columns] of x, whose rows are {@code width} apart, from an element on. */
    private void split(long x, long width, long row, long column, long rows, long columns, long high) {
        kernels.get(Kernel.SPLIT_COLUMNS)
                .pointer(x + 4 * (row * width + column))
                .count(width)
                .pointer(high)
                .pointer(high + 4 * tiles.part())
                .count(rows)
                .count(columns)
                .overQuads(rows, columns);
    }

    private void three(Form form, boolean add, long c, long widthC, long m, long n, long k) {
        long widthA = form == Form.TN ? m : k;
        long widthB = form == Form.NT ? k : n;
        rounding.product(form, add, part(0), widthA, part(3), widthB, c, widthC, m, n, k);
        rounding.product(form, true, part(1), widthA, part(2), widthB, c, widthC, m, n, k);
        for (long l = 0; l < k; l += tiles.terms()) {
            long a = part(0) + 4 * l * (form == Form.TN ? m : 1);
            long b = part(2) + 4 * l * (form == Form.NT ? 1 : n);
            long terms = Math.min(tiles.terms(), k - l);
            rounding.product(form, true, a, widthA, b, widthB, c, widthC, m, n, terms);
        }
    }

    /** High and low of a, high and low of b. */
    private long part(int index) {
        return parts.address() + 4L * index * tiles.part();
    }

    private static long pieces(long extent, long most) {
        return (extent + most - 1) / most;
    }

    @Override
    String description() {
        return strict.description() + ", " + note(always);
    }

    @Override
    double unitRoundoff() {
        return strict.unitRoundoff();
    }

    /** 77 for 51 where products are large. */
    @Override
    double operationsPerMicro() {
        return 1.5 * strict.operationsPerMicro();
    }

    /** Neither has cuBLAS, and more rows may be split where fewer are not. */
    @Override
    boolean sameBitsByRow() {
        return false;
    }

    @Override
    void close() {
        strict.close();
        if (rounding != null) rounding.close();
    }
}
