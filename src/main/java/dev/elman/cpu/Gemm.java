package dev.elman.cpu;

/** Matrix products, each on the thread that asks for it. */
interface Gemm extends AutoCloseable {
    /** Rows that are added up before their sum is added to the others', so that rounding errors stay small. */
    int SUMMED_ROWS = 128;

    /** For people: the library and its version, or why there is none. */
    String description();

    /** Whether a row of a product has the same bits whatever other rows are computed with it. */
    boolean rowsAlone();

    /** From how many rows on a row costs no more than it does in a large product. */
    int fewestRows();

    /** As many rows or more, for which a product is made fastest. */
    default int madeRows(int rows) {
        return rows;
    }

    /**
     * Columns, at least {@code columns}, that a result should have to be computed fastest; what lies in those beyond its own is
     * void afterwards.
     *
     * @param rows of the results of all threads together
     * @param terms of each of its sums
     */
    default int room(int columns, int rows, int terms) {
        return columns;
    }

    /**
     * {@code b} made ready to be the right factor of several products, as long as it does not change.
     *
     * @param room whether their results have as many columns as {@link #room} says, which are more than b has
     * @param rows of all these products together, roughly, four at least for each: for a few little is made ready the first time
     */
    Factor right(Matrix b, boolean room, long rows);

    /** The same, made ready by several threads where that is much work. */
    default Factor right(Matrix b, boolean room, long rows, Workers workers) {
        return right(b, room, rows);
    }

    /** The same without room; of a transposed b, how many rows there are may decide the order of sums, and so the last bits. */
    default Factor rightInAnyOrder(Matrix b, long rows, Workers workers) {
        return right(b, false, rows, workers);
    }

    /** c += a^T b, with a and b as they are stored and of one length; neither overlaps c. */
    void addTransposed(Matrix a, Matrix b, Matrix c);

    /** sum [1,n] += the sum of the rows of b, which is as it is stored; in float, {@link #SUMMED_ROWS} rows at a time. */
    void addRows(Matrix b, Matrix sum);

    /**
     * The sum of the magnitudes of a matrix that is as it is stored: 0 only where all its elements are, and not finite where one
     * of them is not, where the sum overflows, or where computing it would take as long as a product.
     */
    default float sumOfMagnitudes(Matrix matrix) {
        return Float.NaN;
    }

    /** Gives back the memory that factors used. */
    @Override
    default void close() {}

    /** Any thread may use it. Closing it, once, lets it serve again, or the next factor have its memory. */
    interface Factor extends AutoCloseable {
        /**
         * c = a b, or c += a b, for {@code rows} rows of a from {@code rowOfA} on and of c from {@code rowOfC} on; a as it is
         * stored, and what is read does not overlap what is written.
         */
        void multiply(Matrix a, int rowOfA, Matrix c, int rowOfC, int rows, boolean add);

        @Override
        default void close() {}
    }
}
