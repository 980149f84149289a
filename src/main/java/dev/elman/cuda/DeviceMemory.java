package dev.elman.cuda;

import dev.elman.backend.OutOfDeviceMemoryException;
import dev.elman.backend.Shape;
import java.util.Locale;
import java.util.Objects;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.JCudaDriver;

/** One piece of memory on the device, with one owner, who may be the caller; what tensors and their views share. */
final class DeviceMemory {
    private final CudaContext context;
    private final DeviceAddress pointer;
    private final long bytes;

    private boolean freed;

    /** Takes memory; its contents are whatever was there. Throws {@link OutOfDeviceMemoryException} when there is not enough. */
    DeviceMemory(CudaContext context, long bytes) {
        this.context = context;
        this.pointer = new DeviceAddress();
        this.bytes = bytes;
        // Nothing is a legal size of a tensor but not of an allocation.
        long atLeast = Math.max(bytes, 16);
        try {
            context.calls()
                    .driver(
                            "cuMemAlloc",
                            () -> atLeast + " bytes, " + context.memoryState(),
                            () -> JCudaDriver.cuMemAlloc(pointer, atLeast));
        } catch (CudaCallException failure) {
            if (!failure.status().equals("CUDA_ERROR_OUT_OF_MEMORY")) throw failure;
            throw new OutOfDeviceMemoryException(
                    "The device has no memory for this: " + failure.getMessage()
                            + " Take smaller batches, shorter sequences or fewer nodes, or close what else uses the device"
                            + " (nvidia-smi shows that).",
                    failure);
        }
        context.took(this);
    }

    private DeviceMemory(CudaContext context, DeviceAddress pointer, long bytes) {
        this.context = context;
        this.pointer = pointer;
        this.bytes = bytes;
    }

    /**
     * The caller's memory from {@code pointer} on, which is never freed here.
     *
     * @throws IllegalArgumentException unless the context has that many bytes there, at an address that is a multiple of 4
     */
    static DeviceMemory ofCaller(CudaContext context, CUdeviceptr pointer, Shape shape) {
        Objects.requireNonNull(pointer, "pointer");
        context.enter();
        DeviceAddress begin = new DeviceAddress(pointer);
        if (begin.value() % 4 != 0) {
            throw refused(begin, shape, "is no multiple of 4, as the address of a number must be");
        }
        long bytes = bytes(shape);
        DeviceAddress base = new DeviceAddress();
        long[] length = {0};
        String status = CudaCalls.driverStatus(() -> JCudaDriver.cuMemGetAddressRange(base, length, begin));
        if (status != null) {
            throw refused(begin, shape, "is not in device memory of this context (" + status + ")");
        }
        long left = base.value() + length[0] - begin.value();
        if (left < bytes) {
            throw refused(begin, shape, "has " + left + " bytes before its allocation ends, but it takes " + bytes);
        }
        return new DeviceMemory(context, begin, bytes);
    }

    /**
     * Of so many numbers.
     *
     * @throws IllegalArgumentException when they are more than a device can address
     */
    static long bytes(Shape shape) {
        if (shape.size() > Long.MAX_VALUE / 4) {
            throw new IllegalArgumentException(
                    shape + " has " + shape.size() + " elements, more than any memory holds.");
        }
        return 4 * shape.size();
    }

    private static IllegalArgumentException refused(DeviceAddress begin, Shape shape, String why) {
        return new IllegalArgumentException(
                String.format(Locale.ROOT, "wrap: the pointer 0x%x for %s %s.", begin.value(), shape, why));
    }

    /** Fills it with zeros of 4 bytes, in the order of the stream. */
    void clear() {
        context.fill(address(), bytes / 4, 0);
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

    /** Gives the memory back. Once the backend is poisoned nothing but a wrong thread makes it throw, once it is closed nothing. */
    void close() {
        if (context.closed()) return;
        // The thread's current context may be another's by now.
        context.enterToClose();
        boolean sound = !context.calls().poisoned();
        CudaCallException failure = free();
        if (failure != null && sound) throw failure;
    }

    boolean freed() {
        return freed;
    }

    /** Gives the memory back and returns what there is to throw, null if all went well. */
    CudaCallException free() {
        if (freed) return null;
        String status = CudaCalls.driverStatus(() -> JCudaDriver.cuMemFree(pointer));
        CudaCallException failure =
                status == null ? null : context.calls().failure("cuMemFree", status, () -> bytes + " bytes");
        // What the driver has not taken can be given back later, but after a fault it takes nothing any more.
        if (failure == null || context.calls().poisoned()) {
            freed = true;
            context.gave(this);
        }
        return failure;
    }
}
