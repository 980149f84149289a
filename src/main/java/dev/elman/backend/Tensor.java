package dev.elman.backend;

/**
 * Real numbers in a backend's memory, row-major, in the backend's own precision. Made by {@link Backend#allocate}, whose
 * caller closes it; a view shares the memory of its origin, and closing a view does nothing.
 *
 * <p>Every method throws {@link IllegalStateException} once the tensor, its origin or its backend is closed, but for
 * {@code shape()} and {@code close()}.
 */
public interface Tensor extends AutoCloseable {
    /** The extents, also after {@link #close}. */
    Shape shape();

    /**
     * The same memory seen from element {@code offset} on as {@code shape}.
     *
     * @throws IndexOutOfBoundsException when that reaches beyond this tensor
     */
    Tensor view(long offset, Shape shape);

    /** A view of {@code count} entries along the first axis, beginning with entry {@code from}. */
    default Tensor slice(int from, int count) {
        return view(from * shape().rowSize(), shape().withFirst(count));
    }

    /** The same elements under another shape of the same size. */
    default Tensor reshape(Shape shape) {
        if (shape.size() != shape().size()) {
            view(0, shape()); // throws where it is closed, which comes before its size
            throw new ShapeMismatchException("reshape", "the new shape", "the size of " + shape(), shape);
        }
        return view(0, shape);
    }

    /** Copies values in, rounded to this backend's precision. Throws {@link ShapeMismatchException} on another length. */
    void set(float... values);

    /** Copies values in, rounded to this backend's precision. Throws {@link ShapeMismatchException} on another length. */
    void set(double... values);

    /** A copy on the host, waited for. */
    float[] toFloats();

    /** A copy on the host, waited for; the reference backend loses nothing here. */
    double[] toDoubles();

    @Override
    void close();
}
