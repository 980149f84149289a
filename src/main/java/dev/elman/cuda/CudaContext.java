package dev.elman.cuda;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * One context, one stream, the thread they are used on, and all memory that was taken there. Context and stream are ours,
 * the primary context and a new stream, or an application's.
 */
final class CudaContext implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(CudaContext.class.getName());

    private final Thread owner = Thread.currentThread();
    private final CudaCalls calls;
    private final CUdevice device;
    private final CUcontext context;
    private final CUstream stream;
    /** Whether stream and hold on the context are ours to give back. */
    private final boolean owned;

    private final boolean capturable;
    private final Set<DeviceMemory> memory = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Staging staging;
    private final Counters counters = new Counters();
    private int liveTensors;
    private boolean closed;

    /** What a backend has done so far; tests hold it to what it promises. */
    static final class Counters {
        long allocations;
        /** Device memory that is taken now, and the most that ever was; an application's is not counted. */
        long bytes;

        long peak;
        /** Captured ones too, once. */
        long launches;
        /** Captured ones too, once. */
        long products;

        long captures;
        long graphs;
        long uploads;
        long downloads;
    }

    private CudaContext(CudaCalls calls, CUdevice device, CUcontext context, CUstream stream, boolean owned) {
        this.calls = calls;
        this.device = device;
        this.context = context;
        this.stream = stream;
        this.owned = owned;
        int[] flags = {0};
        calls.driver("cuStreamGetFlags", () -> JCudaDriver.cuStreamGetFlags(stream, flags));
        this.capturable = (flags[0] & CUstream_flags.CU_STREAM_NON_BLOCKING) != 0;
        this.staging = new Staging(this);
    }

    /** Retains the device's primary context, which all users of the device in this process share, and makes a stream. */
    static CudaContext open(CudaCalls calls, CUdevice device) {
        CUcontext context = new CUcontext();
        CUstream stream = new CUstream();
        calls.driver(
                "cuDevicePrimaryCtxRetain",
                device::toString,
                () -> JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
        try {
            calls.driver("cuCtxSetCurrent", () -> JCudaDriver.cuCtxSetCurrent(context));
            calls.driver(
                    "cuStreamCreate",
                    () -> "non-blocking",
                    () -> JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
            try {
                return new CudaContext(calls, device, context, stream, true);
            } catch (RuntimeException failure) {
                CudaCalls.driverStatus(() -> JCudaDriver.cuStreamDestroy(stream));
                throw failure;
            }
        } catch (RuntimeException failure) {
            CudaCalls.driverStatus(() -> JCudaDriver.cuDevicePrimaryCtxRelease(device));
            throw failure;
        }
    }

    /**
     * An application's context and stream, which stay the application's.
     *
     * @throws IllegalArgumentException when the stream is not of that context
     */
    static CudaContext attach(CudaCalls calls, CUcontext context, CUstream stream) {
        CUdevice device = new CUdevice();
        CUcontext home = new CUcontext();
        calls.driver("cuCtxSetCurrent", () -> JCudaDriver.cuCtxSetCurrent(context));
        calls.driver("cuCtxGetDevice", () -> JCudaDriver.cuCtxGetDevice(device));
        calls.driver(
                "cuStreamGetCtx", () -> "the application's stream", () -> JCudaDriver.cuStreamGetCtx(stream, home));
        if (!home.equals(context)) {
            throw new IllegalArgumentException("attach: the stream belongs to another context than the one given.");
        }
        return new CudaContext(calls, device, context, stream, false);
    }

    /** Refuses to go on when closed, poisoned or on a wrong thread, and makes this context the thread's. */
    void enter() {
        checkUsable();
        calls.driver("cuCtxSetCurrent", () -> JCudaDriver.cuCtxSetCurrent(context));
    }

    /** As {@link #enter}, but poisoned or not: everything can be closed. */
    void enterToClose() {
        checkThread();
        quietly("cuCtxSetCurrent", CudaCalls.driverStatus(() -> JCudaDriver.cuCtxSetCurrent(context)));
    }

    /** The first half of {@link #enter}. */
    void checkUsable() {
        if (closed) throw new IllegalStateException("This backend is closed.");
        checkThread();
        calls.checkHealthy();
    }

    /** Throws {@link IllegalStateException} on any thread but the opening one. */
    void checkThread() {
        if (Thread.currentThread() != owner) {
            throw new IllegalStateException("A CUDA backend belongs to its opening thread, " + owner.getName()
                    + ", but was used on " + Thread.currentThread().getName()
                    + "; use and close it on the opening one, or open another here.");
        }
    }

    CudaCalls calls() {
        return calls;
    }

    CUdevice device() {
        return device;
    }

    CUstream stream() {
        return stream;
    }

    Staging staging() {
        return staging;
    }

    Counters counters() {
        return counters;
    }

    /** Whether context and stream are ours and not an application's. */
    boolean owned() {
        return owned;
    }

    /** Whether the stream can be captured while other threads use the default stream: only one that does not wait for that. */
    boolean capturable() {
        return capturable;
    }

    /** Writes these 32 bits {@code count} times from an address on, in the order of the stream. */
    void fill(long address, long count, int bits) {
        if (count == 0) return;
        calls.driver(
                "cuMemsetD32Async",
                () -> count + " times 4 bytes",
                () -> JCudaDriver.cuMemsetD32Async(DeviceAddress.of(address), bits, count, stream));
    }

    /** Waits for everything that was handed to the stream. */
    void synchronize() {
        calls.driver("cuStreamSynchronize", () -> JCudaDriver.cuStreamSynchronize(stream));
    }

    /** As {@link #synchronize}, but whatever became of it: what is closed next must not be in use. */
    void synchronizeToClose() {
        quietly("cuStreamSynchronize", CudaCalls.driverStatus(() -> JCudaDriver.cuStreamSynchronize(stream)));
    }

    /** Free and total memory for a message. */
    String memoryState() {
        long[] free = {0};
        long[] total = {0};
        if (CudaCalls.driverStatus(() -> JCudaDriver.cuMemGetInfo(free, total)) != null) return "the device";
        return (free[0] >> 20) + " MiB free of " + (total[0] >> 20) + " MiB";
    }

    void took(DeviceMemory block) {
        memory.add(block);
        counters.allocations++;
        counters.bytes += block.bytes();
        counters.peak = Math.max(counters.peak, counters.bytes);
    }

    void gave(DeviceMemory block) {
        memory.remove(block);
        counters.bytes -= block.bytes();
    }

    void openedTensor() {
        liveTensors++;
    }

    void closedTensor() {
        liveTensors--;
    }

    int liveTensors() {
        return liveTensors;
    }

    boolean closed() {
        return closed;
    }

    /**
     * Frees all memory that was taken, and the stream and the hold on the context if they are ours. It is the thread's and nothing
     * runs in it any more. After a device fault the driver may refuse; so be it.
     */
    @Override
    public void close() {
        if (liveTensors > 0)
            LOG.log(System.Logger.Level.WARNING, "cuda: " + liveTensors + " tensors were never closed");
        closed = true;
        liveTensors = 0;
        for (DeviceMemory block : memory.toArray(DeviceMemory[]::new)) {
            boolean sound = !calls.poisoned();
            CudaCallException failure = block.free(); // which may poison
            if (sound && failure != null) warn("cuMemFree", failure.status());
        }
        quietly("cuMemFreeHost", staging.free());
        if (!owned) return;
        quietly("cuStreamDestroy", CudaCalls.driverStatus(() -> JCudaDriver.cuStreamDestroy(stream)));
        quietly(
                "cuDevicePrimaryCtxRelease",
                CudaCalls.driverStatus(() -> JCudaDriver.cuDevicePrimaryCtxRelease(device)));
    }

    private void quietly(String call, String status) {
        if (status != null && !calls.poisoned()) warn(call, status);
    }

    private static void warn(String call, String status) {
        LOG.log(System.Logger.Level.WARNING, "cuda: {0} failed with {1} while closing", call, status);
    }
}
