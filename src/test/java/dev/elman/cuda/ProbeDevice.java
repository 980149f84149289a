package dev.elman.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.IntSupplier;
import java.util.function.IntToDoubleFunction;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * The device as a probe uses it: plain driver calls and nothing of the backend's but its checker, so that what is timed is
 * the driver and the GPU. Everything that was made here goes with it, in reverse order; the context too, so that a probe
 * that fails leaves the next one a sound device.
 */
final class ProbeDevice implements AutoCloseable {
    private static final int SAMPLES = 7;

    private final CudaCalls calls = new CudaCalls();
    private final CUdevice device = new CUdevice();
    private final CUstream stream = new CUstream();
    private final CUevent before = new CUevent();
    private final CUevent after = new CUevent();
    private final Deque<IntSupplier> undo = new ArrayDeque<>();

    /** Takes the device that {@code elman.cuda.device} names. */
    ProbeDevice() {
        NativeCode.loadDriver();
        call("cuInit", () -> JCudaDriver.cuInit(0));
        int number = CudaSettings.fromProperties().device();
        call("cuDeviceGet", () -> JCudaDriver.cuDeviceGet(device, number));
        CUcontext context = new CUcontext();
        call("cuDevicePrimaryCtxRetain", () -> JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
        undo.push(() -> JCudaDriver.cuDevicePrimaryCtxRelease(device));
        call("cuCtxSetCurrent", () -> JCudaDriver.cuCtxSetCurrent(context));
        make(
                "cuStreamCreate",
                () -> JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
                () -> JCudaDriver.cuStreamDestroy(stream));
        for (CUevent event : new CUevent[] {before, after}) {
            make(
                    "cuEventCreate",
                    () -> JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DEFAULT),
                    () -> JCudaDriver.cuEventDestroy(event));
        }
    }

    CUstream stream() {
        return stream;
    }

    /** Makes a call and throws {@link CudaCallException} where it fails. */
    void call(String name, IntSupplier call) {
        calls.driver(name, call);
    }

    /** As {@link #call}, and what the call made is given back at the end. */
    void make(String name, IntSupplier call, IntSupplier giveBack) {
        call(name, call);
        undo.push(giveBack);
    }

    int attribute(int attribute) {
        int[] value = {0};
        call("cuDeviceGetAttribute", () -> JCudaDriver.cuDeviceGetAttribute(value, attribute, device));
        return value[0];
    }

    /** Memory for so many ints, zeros. */
    CUdeviceptr ints(int count) {
        CUdeviceptr memory = new CUdeviceptr();
        make("cuMemAlloc", () -> JCudaDriver.cuMemAlloc(memory, 4L * count), () -> JCudaDriver.cuMemFree(memory));
        fill(memory, 0, count);
        return memory;
    }

    void fill(CUdeviceptr memory, int value, int count) {
        call("cuMemsetD32Async", () -> JCudaDriver.cuMemsetD32Async(memory, value, count, stream));
    }

    /** Waits for the stream first: a copy of the host's does not wait for a stream like ours. */
    void upload(CUdeviceptr memory, int... values) {
        synchronize();
        call("cuMemcpyHtoD", () -> JCudaDriver.cuMemcpyHtoD(memory, Pointer.to(values), 4L * values.length));
    }

    /** What the memory holds when all that was handed to the stream is done. */
    int[] download(CUdeviceptr memory, int count) {
        synchronize();
        int[] values = new int[count];
        call("cuMemcpyDtoH", () -> JCudaDriver.cuMemcpyDtoH(Pointer.to(values), memory, 4L * count));
        return values;
    }

    void synchronize() {
        call("cuStreamSynchronize", () -> JCudaDriver.cuStreamSynchronize(stream));
    }

    /** The kernel of that name from the probes' file {@code NAME.smNN.ptx}. */
    CUfunction kernel(String file, String entry) {
        CUmodule module = new CUmodule();
        byte[] text = zeroTerminated(file);
        make(
                "cuModuleLoadData",
                () -> JCudaDriver.cuModuleLoadData(module, text),
                () -> JCudaDriver.cuModuleUnload(module));
        CUfunction function = new CUfunction();
        call("cuModuleGetFunction", () -> JCudaDriver.cuModuleGetFunction(function, module, entry));
        return function;
    }

    private static byte[] zeroTerminated(String file) {
        try (InputStream in = ProbeDevice.class.getResourceAsStream("probes/" + file)) {
            byte[] text = in.readAllBytes();
            return Arrays.copyOf(text, text.length + 1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Parameters of a launch: device pointers and ints, in order, in memory that JCuda need not copy. */
    static Pointer parameters(Object... values) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(8 * values.length).order(ByteOrder.nativeOrder());
        NativePointerObject[] pointers = new NativePointerObject[values.length];
        for (int i = 0; i < values.length; i++) {
            if (values[i] instanceof CUdeviceptr pointer) {
                pointers[i] = Pointer.to(pointer);
                continue;
            }
            buffer.putInt(8 * i, (Integer) values[i]);
            pointers[i] = Pointer.to(buffer).withByteOffset(8L * i);
        }
        return Pointer.to(pointers);
    }

    /** One ordinary launch. */
    void launch(CUfunction function, int blocks, int threads, int sharedBytes, Pointer parameters) {
        call(
                "cuLaunchKernel",
                () -> JCudaDriver.cuLaunchKernel(
                        function, blocks, 1, 1, threads, 1, 1, sharedBytes, stream, parameters, null));
    }

    /** One launch of which all blocks are resident together, or it is refused. */
    void launchTogether(CUfunction function, int blocks, int threads, Pointer parameters) {
        call(
                "cuLaunchCooperativeKernel",
                () -> JCudaDriver.cuLaunchCooperativeKernel(
                        function, blocks, 1, 1, threads, 1, 1, 0, stream, parameters));
    }

    /** What the work takes on the device, in us. */
    double micros(Runnable work) {
        call("cuEventRecord", () -> JCudaDriver.cuEventRecord(before, stream));
        work.run();
        call("cuEventRecord", () -> JCudaDriver.cuEventRecord(after, stream));
        call("cuEventSynchronize", () -> JCudaDriver.cuEventSynchronize(after));
        float[] millis = {0};
        call("cuEventElapsedTime", () -> JCudaDriver.cuEventElapsedTime(millis, before, after));
        return 1e3 * millis[0];
    }

    /**
     * What one unit more takes: (time of {@code many} - time of {@code few}) / (many - few), the median of several, so that
     * what a launch costs by itself drops out. Each way runs once before.
     */
    static double slope(int few, int many, IntToDoubleFunction time) {
        double[] samples = new double[SAMPLES];
        for (int i = -1; i < SAMPLES; i++) {
            double low = time.applyAsDouble(few);
            double sample = (time.applyAsDouble(many) - low) / (many - few);
            if (i >= 0) samples[i] = sample;
        }
        Arrays.sort(samples);
        return samples[SAMPLES / 2];
    }

    @Override
    public void close() {
        CudaCalls.driverStatus(() -> JCudaDriver.cuStreamSynchronize(stream));
        while (!undo.isEmpty()) CudaCalls.driverStatus(undo.pop());
    }
}
