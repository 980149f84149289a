package dev.elman.cpu;

import dev.elman.backend.Shape;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/** What a tensor and its views share: 32-bit elements outside the heap, all 0 at first. */
final class Memory {
    /** Elements of one memory at most: a direct buffer ends at 2^31 - 1 bytes, and alignment takes some at both ends. */
    static final int LARGEST = (1 << 29) - 64;

    /** Bytes; a cache line, and the widest vector of today. */
    private static final int ALIGNMENT = 64;

    private static final MethodHandle FREE = free();

    private final Allocations allocations;
    private final ByteBuffer bytes;

    // Null once closed.
    private volatile FloatBuffer floats;
    private volatile IntBuffer ints;

    /** What a native library made to find this memory; it makes it itself. */
    private volatile Object pointer;

    Memory(Allocations allocations, int size) {
        this.allocations = allocations;
        this.bytes = ByteBuffer.allocateDirect(size * Float.BYTES + 2 * ALIGNMENT);
        ByteBuffer aligned = bytes.alignedSlice(ALIGNMENT).order(ByteOrder.nativeOrder());
        this.floats = aligned.asFloatBuffer();
        this.ints = aligned.asIntBuffer();
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

    Object pointer() {
        return pointer;
    }

    void pointer(Object made) {
        pointer = made;
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

    long byteCount() {
        return bytes.capacity();
    }

    /** Tells the backend, which frees. */
    void close() {
        allocations.close(this);
    }

    /** Gives the memory back at once; called by {@link Allocations} only, and only once. */
    void release() {
        floats = null;
        ints = null;
        pointer = null;
        try {
            if (FREE != null) FREE.invokeExact(bytes);
        } catch (Throwable e) {
            throw new AssertionError("A direct buffer that is no slice must be freeable.", e);
        }
    }

    /**
     * {@code sun.misc.Unsafe.invokeCleaner}, the JDK's only supported way before Java 22 to free a direct buffer before the
     * collector finds it. By name, because the compiler warns of the class. Null in a run-time image without the module
     * jdk.unsupported; the collector then frees.
     */
    private static MethodHandle free() {
        try {
            Class<?> unsafe = Class.forName("sun.misc.Unsafe");
            var field = unsafe.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return MethodHandles.lookup()
                    .findVirtual(unsafe, "invokeCleaner", MethodType.methodType(void.class, ByteBuffer.class))
                    .bindTo(field.get(null));
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }

    /** Checks that a view of {@code inner} at {@code offset} stays within {@code outer}. */
    static void checkView(Shape outer, long offset, Shape inner) {
        if (offset < 0 || inner.size() > outer.size() - offset) {
            throw new IndexOutOfBoundsException(
                    "A view " + inner + " at element " + offset + " reaches beyond its origin " + outer + ".");
        }
    }
}
