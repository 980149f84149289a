package dev.elman.backend;

/** 32-bit integers in a backend's memory: ids, labels, masks. Lifetime and views as in {@link Tensor}. */
public interface IntTensor extends AutoCloseable {
    /** The extents, also after {@link #close}. */
    Shape shape();

    /**
     * The same memory seen from element {@code offset} on as {@code shape}.
     *
     * @throws IndexOutOfBoundsException when that reaches beyond this tensor
     */
    IntTensor view(long offset, Shape shape);

    /** Copies values in. Throws {@link ShapeMismatchException} on another length. */
    void set(int... values);

    /** A copy on the host, waited for. */
    int[] toInts();

    @Override
    void close();
}
