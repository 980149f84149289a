package dev.elman.backend;

/** {@link Buffer} for ints. */
public final class IntBuffer implements AutoCloseable {
    private final Backend backend;
    private IntTensor memory;

    /** Holds nothing before the first {@link #of}. The backend must outlive it. */
    public IntBuffer(Backend backend) {
        this.backend = backend;
    }

    /** Memory of this shape; its contents are what the last user left, or 0. What was returned before is void. */
    public IntTensor of(Shape shape) {
        if (memory == null || memory.shape().size() < shape.size()) {
            close();
            memory = backend.allocateInts(shape);
        }
        return memory.view(0, shape);
    }

    @Override
    public void close() {
        if (memory != null) memory.close();
        memory = null;
    }
}
