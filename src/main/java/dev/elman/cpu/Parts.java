package dev.elman.cpu;

/** Rows cut into {@code count} parts of nearly one size. */
record Parts(int rows, int count) {
    /** Below this two parts would be too small for a product each. */
    private static final int SMALLEST_PAIR = 16;

    /**
     * Parts of at most {@code largest} rows, and two of them where one would do, so that two threads have work. They depend on
     * the rows alone and never on threads: a product's last bits may depend on its size.
     */
    static Parts ofAtMost(int largest, int rows) {
        int count = (rows + largest - 1) / largest;
        return new Parts(rows, count == 1 && rows >= SMALLEST_PAIR ? 2 : count);
    }

    /** Parts of at most {@code largest} rows, as many for each thread, for products whose bits do not depend on their size. */
    static Parts forThreads(int threads, int largest, int rows) {
        int each = (rows + threads * largest - 1) / (threads * largest);
        return new Parts(rows, Math.min(rows, threads * each));
    }

    int from(int part) {
        return (int) ((long) rows * part / count);
    }

    int size(int part) {
        return from(part + 1) - from(part);
    }
}
