package dev.elman.cpu;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Zeroed memory outside the heap that can be given back before the collector finds it.
 *
 * @param bytes in native order, aligned
 * @param release gives the memory back; afterwards nothing may touch the bytes
 */
record OffHeap(ByteBuffer bytes, AutoCloseable release) {
    /** Bytes; a cache line, and the widest vector of today. */
    static final int ALIGNMENT = 64;

    /** What an allocation may cost besides its elements, in bytes. */
    static final int OVERHEAD = 2 * ALIGNMENT;

    /** Takes a number of bytes, gives the memory. */
    private interface Source {
        OffHeap allocate(int size) throws Throwable;
    }

    private static final Source SOURCE = Runtime.version().feature() >= 22 ? arenas() : directBuffers();

    static OffHeap allocate(int size) {
        try {
            return SOURCE.allocate(size);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("The JDK throws no checked exception here.", e);
        }
    }

    /** Zeroed memory in native order, aligned, that nobody gives back: the collector does. */
    static ByteBuffer collected(int size) {
        return ByteBuffer.allocateDirect(size + OVERHEAD)
                .alignedSlice(ALIGNMENT)
                .order(ByteOrder.nativeOrder());
    }

    void free() {
        try {
            release.close();
        } catch (Exception e) {
            throw new AssertionError("Memory that was allocated here can be freed.", e);
        }
    }

    /** Shared arenas, final since Java 22, where {@link #directBuffers} would print a warning. By name: this is Java 17. */
    private static Source arenas() {
        try {
            Lookup lookup = MethodHandles.publicLookup();
            Class<?> arena = Class.forName("java.lang.foreign.Arena");
            Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
            MethodHandle open = lookup.findStatic(arena, "ofShared", MethodType.methodType(arena))
                    .asType(MethodType.methodType(AutoCloseable.class));
            MethodHandle allocate =
                    lookup.findVirtual(arena, "allocate", MethodType.methodType(segment, long.class, long.class));
            MethodHandle asBuffer =
                    lookup.findVirtual(segment, "asByteBuffer", MethodType.methodType(ByteBuffer.class));
            MethodHandle bytes = MethodHandles.filterReturnValue(allocate, asBuffer)
                    .asType(MethodType.methodType(ByteBuffer.class, AutoCloseable.class, long.class, long.class));
            return size -> {
                AutoCloseable opened = (AutoCloseable) open.invokeExact();
                ByteBuffer buffer = (ByteBuffer) bytes.invokeExact(opened, (long) size, (long) ALIGNMENT);
                return new OffHeap(buffer.order(ByteOrder.nativeOrder()), opened);
            };
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("Java 22 and later have shared arenas.", e);
        }
    }

    /**
     * Direct buffers, and {@code sun.misc.Unsafe.invokeCleaner} to free them: the only supported way until Java 22. By name,
     * because the compiler warns of the class. Without the module jdk.unsupported the collector frees.
     */
    private static Source directBuffers() {
        MethodHandle invokeCleaner = invokeCleaner();
        return size -> {
            ByteBuffer buffer = ByteBuffer.allocateDirect(size + OVERHEAD);
            ByteBuffer aligned = buffer.alignedSlice(ALIGNMENT).order(ByteOrder.nativeOrder());
            return new OffHeap(aligned, () -> free(invokeCleaner, buffer));
        };
    }

    private static void free(MethodHandle invokeCleaner, ByteBuffer buffer) {
        try {
            if (invokeCleaner != null) invokeCleaner.invokeExact(buffer);
        } catch (Throwable e) {
            throw new AssertionError("A direct buffer that is no slice can be freed.", e);
        }
    }

    private static MethodHandle invokeCleaner() {
        try {
            Class<?> unsafe = Class.forName("sun.misc.Unsafe");
            var field = unsafe.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return MethodHandles.publicLookup()
                    .findVirtual(unsafe, "invokeCleaner", MethodType.methodType(void.class, ByteBuffer.class))
                    .bindTo(field.get(null));
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }
}
