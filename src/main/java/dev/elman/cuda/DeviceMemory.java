package dev.elman.cuda;

import jcuda.driver.JCudaDriver;

/** One allocation on the device, with one owner; what tensors and their views share. */
final class DeviceMemory {
    private final CudaContext context;
    private final DeviceAddress pointer = new DeviceAddress();
    private final long bytes;
    private boolean freed;

    /** Takes memory; its contents are whatever was there. Throws {@link CudaCallException} when there is not enough. */
    DeviceMemory(CudaContext context, long bytes) {
        this.context = context;
        this.bytes = bytes;
        // Nothing is a legal size of a tensor but not of an allocation.
        long atLeast = Math.max(bytes, 16);
        context.calls().driver("cuMemAlloc", asking(atLeast), () -> JCudaDriver.cuMemAlloc(pointer, atLeast));
        context.took(this);
    }

    private Object asking(long atLeast) {
        return new Object() {
            @Override
            public String toString() {
                return atLeast + " bytes, " + context.memoryState();
            }
        };
    }

    /** Fills all of it with zeros, in the order of the stream. */
    void clear() {
        if (bytes == 0) return;
        context.calls()
                .driver(
                        "cuMemsetD8Async",
                        bytes + " bytes",
                        () -> JCudaDriver.cuMemsetD8Async(pointer, (byte) 0, bytes, context.stream()));
    }

    long address() {
        return pointer.value();
    }

    long bytes() {
        return bytes;
    }

    /** Throws unless this may be used by {@code user}, now, on this thread. */
    void check(CudaContext user) {
        if (user != context) throw new IllegalArgumentException("This tensor belongs to another backend.");
        check();
    }

    /** Throws unless this may be used now, on this thread. */
    void check() {
        context.checkUsable();
        if (freed) throw new IllegalStateException("This tensor is closed.");
    }

    CudaContext context() {
        return context;
    }

    /** Gives the memory back. Throws nothing once the backend is closed or poisoned. */
    void close() {
        if (freed || context.closed()) return;
        // The thread's current context may be another's by now.
        context.enterToClose();
        String status = free();
        if (status != null && !context.calls().poisoned()) {
            throw new CudaCallException("cuMemFree", status, bytes + " bytes");
        }
    }

    boolean freed() {
        return freed;
    }

    /** Gives the memory back and returns the name of the status, null if all went well. */
    String free() {
        if (freed) return null;
        freed = true;
        context.gave(this);
        return CudaCalls.driverStatus(() -> JCudaDriver.cuMemFree(pointer));
    }
}
