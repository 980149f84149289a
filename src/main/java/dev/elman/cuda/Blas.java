package dev.elman.cuda;

/** Matrix products, row-major and without gaps; all operands are addresses. */
abstract class Blas {
    private final CudaContext context;

    /** Which operands are read as their transposes; the product is [m,n]. */
    enum Form {
        /** a [m,k], b [k,n]. */
        NN("a b"),
        /** a [m,k], b [n,k]. */
        NT("a b^T"),
        /** a [k,m], b [k,n]. */
        TN("a^T b");

        private final String formula;

        Form(String formula) {
            this.formula = formula;
        }

        /** With its sizes, for messages. */
        String of(long m, long n, long k) {
            return formula + " with m = " + m + ", n = " + n + ", k = " + k;
        }
    }

    Blas(CudaContext context) {
        this.context = context;
    }

    CudaContext context() {
        return context;
    }

    /** c [m,n] = the product of this form, added to what is there if {@code add}. */
    final void multiply(Form form, boolean add, long a, long b, long c, long m, long n, long k) {
        if (m == 0 || n == 0) return;
        if (k == 0) {
            if (!add) context.fill(c, m * n, 0);
            return;
        }
        context.counters().products++;
        product(form, add, a, b, c, m, n, k);
    }

    /**
     * Takes the memory that a product of these sizes needs beside its operands: whoever has begun to change what is added to
     * cannot stop half way for want of it.
     */
    final void reserve(Form form, long m, long n, long k) {
        if (m > 0 && n > 0 && k > 0) take(form, m, n, k);
    }

    /** The memory of {@link #reserve}; no size is 0. */
    void take(Form form, long m, long n, long k) {}

    /** One product; no size is 0. */
    abstract void product(Form form, boolean add, long a, long b, long c, long m, long n, long k);

    /** Precision and maker, for people. */
    abstract String description();

    /** Largest relative error of the rounding of one operand or sum. */
    abstract double unitRoundoff();

    /** Multiplications and additions of a large product, as on an H100 or H200. */
    abstract double operationsPerMicro();

    /** Whether operands are rounded to TF32, so that whoever multiplies beside it may do so too. */
    final boolean tf32() {
        return unitRoundoff() > 0x1p-24;
    }

    /** Whether a row of a b and of a b^T has the same bits whatever the number of rows. */
    abstract boolean sameBitsByRow();

    /** Gives back what is not memory of the context. Throws nothing. */
    void close() {}
}
