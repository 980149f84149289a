package dev.elman.cuda;

/** The products of another, around which a test does something. */
abstract class BlasAround extends Blas {
    final Blas inner;

    BlasAround(Blas inner) {
        super(inner.context());
        this.inner = inner;
    }

    @Override
    void take(Form form, long m, long n, long k) {
        inner.take(form, m, n, k);
    }

    @Override
    void product(Form form, boolean add, long a, long b, long c, long m, long n, long k) {
        inner.product(form, add, a, b, c, m, n, k);
    }

    @Override
    String description() {
        return inner.description();
    }

    @Override
    double unitRoundoff() {
        return inner.unitRoundoff();
    }

    @Override
    double operationsPerMicro() {
        return inner.operationsPerMicro();
    }

    @Override
    boolean sameBitsByRow() {
        return inner.sameBitsByRow();
    }
}
