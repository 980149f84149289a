package dev.elman.reference;

import dev.elman.backend.Shape;

/** What a tensor and its views share: whether they may still be used, and whom to tell when not. */
final class Memory {
    /** Largest array that every JVM can make. */
    private static final int LARGEST = Integer.MAX_VALUE - 8;

    private final ReferenceBackend backend;
    private boolean closed;

    Memory(ReferenceBackend backend) {
        this.backend = backend;
        backend.opened();
    }

    /** Throws {@link IllegalArgumentException} when no array is as long as this shape is large. */
    static void requireSize(Shape shape) {
        if (shape.size() > LARGEST) {
            throw new IllegalArgumentException("allocate: " + shape + " has " + shape.size()
                    + " elements, but one tensor of the reference backend holds at most " + LARGEST
                    + "; take fewer nodes, smaller batches or shorter sequences.");
        }
    }

    void check(ReferenceBackend user) {
        if (user != backend) throw new IllegalArgumentException("This tensor belongs to another backend.");
        check();
    }

    void check() {
        backend.checkOpen();
        if (closed) throw new IllegalStateException("This tensor is closed.");
    }

    void close() {
        if (!closed) backend.closed();
        closed = true;
    }
}
