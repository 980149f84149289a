package dev.elman.cpu;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/** What a tensor and its views share: 32-bit elements outside the heap, all 0 at first. */
final class Memory {
    /** Elements at most: a buffer counts its bytes in an int. */
    static final int LARGEST = (Integer.MAX_VALUE - OffHeap.OVERHEAD) / Float.BYTES;

    private final Allocations allocations;
    private final OffHeap memory;

    // Null once closed.
    private volatile FloatBuffer floats;
    private volatile IntBuffer ints;

    /** Where it lies, for a native library; 0 until one asks. */
    private volatile long address;

    /** As visible to other threads as the elements are. */
    private long version;

    Memory(Allocations allocations, int size) {
        this.allocations = allocations;
        this.memory = allocations.offHeap(size * Float.BYTES);
        this.floats = memory.bytes().asFloatBuffer();
        this.ints = memory.bytes().asIntBuffer();
    }

    FloatBuffer floats() {
        FloatBuffer open = floats;
        if (open == null) throw closed();
        return open;
    }

    IntBuffer ints() {
        IntBuffer open = ints;
        if (open == null) throw closed();
        return open;
    }

    /** Where it lies. Only for those who have the native library. */
    long address() {
        check();
        if (address == 0) address = OpenBlas.address(memory.bytes());
        return address;
    }

    /** Another one after any floats changed. */
    long version() {
        return version;
    }

    /** To be called by every operation that may change floats, before it does. */
    void mayChange() {
        version++;
    }

    /**
     * Changes floats outside of an operation. One that ran between the new version and the floats would lay out the old ones as
     * that version's, for good.
     */
    void set(int index, float[] values) {
        synchronized (allocations.backend()) {
            mayChange();
            floats().put(index, values);
        }
    }

    boolean belongsTo(Allocations others) {
        return allocations == others;
    }

    void check() {
        if (floats == null) throw closed();
    }

    private IllegalStateException closed() {
        allocations.checkOpen();
        return new IllegalStateException("This tensor is closed.");
    }

    /** Elements, at least as many as it was asked for. */
    int size() {
        return memory.bytes().capacity() / Float.BYTES;
    }

    /** Other memory of the same backend; who asked for it frees it. */
    OffHeap beside(int bytes) {
        return allocations.offHeap(bytes);
    }

    /** Tells the backend, which frees. */
    void close() {
        allocations.close(this);
    }

    /** Gives the memory back; called only once, of a tensor's by {@link Allocations}. */
    void release() {
        mayChange();
        floats = null;
        ints = null;
        memory.free();
    }
}
