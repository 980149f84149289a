package dev.elman.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Page-locked memory of the host, which tells its address: native code can be given pointers into it that Java has written. */
final class HostMemory extends Pointer {
    private HostMemory() {}

    static HostMemory allocate(CudaContext context, long bytes) {
        HostMemory memory = new HostMemory();
        context.calls()
                .driver(
                        "cuMemHostAlloc",
                        () -> bytes + " bytes, page-locked",
                        () -> JCudaDriver.cuMemHostAlloc(memory, bytes, 0));
        return memory;
    }

    /** The address of its first byte. */
    long address() {
        return getNativePointer();
    }

    /** Some of it to read and write, in native order. */
    ByteBuffer part(long from, long bytes) {
        return getByteBuffer(from, bytes).order(ByteOrder.nativeOrder());
    }

    /** Gives it back and returns the name of the status, null if all went well. Nothing may touch it afterwards. */
    String free() {
        return CudaCalls.driverStatus(() -> JCudaDriver.cuMemFreeHost(this));
    }
}
