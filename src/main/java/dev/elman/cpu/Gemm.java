package dev.elman.cpu;

/** Matrix products, each on the thread that asks for it. */
interface Gemm {
    /** For people: the library and its version, or why there is none. */
    String description();

    /** {@code b} made ready to be the right factor of several products, as long as it does not change. */
    Factor right(Matrix b);

    /** Any thread may use it. */
    interface Factor {
        /** c = a b, or c += a b; neither a nor b overlaps c. */
        void multiply(Matrix a, Matrix c, boolean add);
    }
}
