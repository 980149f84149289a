package dev.elman.cpu;

import dev.elman.backend.Shape;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** All memory of one backend that is not freed yet. */
final class Allocations {
    private final Set<Memory> live = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    Memory allocate(Shape shape) {
        checkOpen();
        long size = shape.size();
        if (size > Memory.LARGEST) {
            throw new IllegalArgumentException("allocate: " + shape + " has " + size
                    + " elements, but one tensor of the" + " cpu backend holds at most " + Memory.LARGEST
                    + "; take fewer nodes, smaller batches or shorter sequences.");
        }
        Memory memory = reserve(shape, (int) size);
        live.add(memory);
        return memory;
    }

    private Memory reserve(Shape shape, int size) {
        try {
            return new Memory(this, size);
        } catch (OutOfMemoryError e) {
            long inUse = live.stream().mapToLong(Memory::byteCount).sum();
            OutOfMemoryError said = new OutOfMemoryError("allocate: " + shape + " needs " + mebibytes(4L * size)
                    + " outside the heap, where this backend already holds " + mebibytes(inUse)
                    + "; take fewer nodes, smaller batches or shorter sequences, or, before Java 22, raise -XX:MaxDirectMemorySize (it is"
                    + " the largest heap size when not set).");
            said.initCause(e);
            throw said;
        }
    }

    private static String mebibytes(long bytes) {
        return (bytes + (1 << 20) - 1) / (1 << 20) + " MiB";
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
