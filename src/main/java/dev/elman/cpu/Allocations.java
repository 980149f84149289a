package dev.elman.cpu;

import dev.elman.backend.Shape;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** All memory of one backend that is not freed yet: tensors, and what is held beside them. */
final class Allocations {
    private final Object backend;

    /** The tensors'. */
    private final Set<Memory> live = ConcurrentHashMap.newKeySet();

    private final AtomicLong bytes = new AtomicLong();
    private volatile boolean closed;

    Allocations(Object backend) {
        this.backend = backend;
    }

    /** Every operation holds its monitor, and so does whoever sets a tensor. */
    Object backend() {
        return backend;
    }

    Memory allocate(Shape shape) {
        Memory memory = allocateBeside(shape);
        live.add(memory);
        return memory;
    }

    /** Memory that counts as nobody's tensor; who asked for it releases it. */
    Memory allocateBeside(Shape shape) {
        checkOpen();
        long size = shape.size();
        if (size > Memory.LARGEST) {
            throw new IllegalArgumentException("allocate: " + shape + " has " + size
                    + " elements, but one tensor of the" + " cpu backend holds at most " + Memory.LARGEST
                    + "; take fewer nodes, smaller batches or shorter sequences.");
        }
        try {
            return new Memory(this, (int) size);
        } catch (OutOfMemoryError e) {
            OutOfMemoryError said = new OutOfMemoryError("allocate: " + shape + " needs " + mebibytes(4L * size)
                    + " outside the heap, where this backend already holds " + mebibytes(held())
                    + "; take fewer nodes, smaller batches or shorter sequences, or, before Java 22, raise -XX:MaxDirectMemorySize (it is"
                    + " the largest heap size when not set).");
            said.initCause(e);
            throw said;
        }
    }

    /** Counted until it is freed. */
    OffHeap offHeap(int size) {
        OffHeap memory = OffHeap.allocate(size);
        bytes.addAndGet(size);
        return new OffHeap(memory.bytes(), () -> {
            bytes.addAndGet(-size);
            memory.free();
        });
    }

    private static String mebibytes(long bytes) {
        return (bytes + (1 << 20) - 1) / (1 << 20) + " MiB";
    }

    /** Bytes of all of it. */
    long held() {
        return bytes.get();
    }

    int count() {
        return live.size();
    }

    void checkOpen() {
        if (closed) throw new IllegalStateException("This backend is closed.");
    }

    void close(Memory memory) {
        if (live.remove(memory)) memory.release();
    }

    /** Frees what is left and returns how many tensors that was. */
    int close() {
        closed = true;
        int left = count();
        live.forEach(this::close);
        return left;
    }
}
