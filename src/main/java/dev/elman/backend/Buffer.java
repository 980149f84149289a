package dev.elman.backend;

/**
 * Memory that grows to the largest shape asked for, so that nothing is allocated once that was seen. For the layers in
 * {@code rnn} and the models in {@code train}.
 */
public final class Buffer implements AutoCloseable {
    private final Backend backend;
    private Tensor memory;

    /** Holds nothing before the first {@link #of}. The backend must outlive it. */
    public Buffer(Backend backend) {
        this.backend = backend;
    }

    /** Memory of this shape; its contents are what the last user left, or 0. What was returned before is void. */
    public Tensor of(Shape shape) {
        if (memory == null || memory.shape().size() < shape.size()) {
            close();
            memory = backend.allocate(shape);
        }
        return memory.view(0, shape);
    }

    @Override
    public void close() {
        if (memory != null) memory.close();
        memory = null;
    }
}
