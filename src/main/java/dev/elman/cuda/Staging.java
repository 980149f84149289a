package dev.elman.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.driver.JCudaDriver;

/**
 * Page-locked memory between Java's arrays and the device. Uploads fill it from front to back and are not waited for;
 * only when it is full does an upload wait for those before it. Downloads have a half of their own. Java's arrays are never
 * handed to the driver: it would have to hold the garbage collector for as long as its queue is full.
 */
final class Staging {
    private static final int BYTES = 4 << 20;

    private final CudaContext context;
    private final HostMemory memory;
    private final ByteBuffer buffer;
    private int used;

    Staging(CudaContext context) {
        this.context = context;
        memory = HostMemory.allocate(context, 2 * BYTES);
        buffer = memory.part(0, 2 * BYTES);
    }

    /** Moves {@code count} values of the array, from {@code from} on, into or out of the buffer. */
    interface Part {
        void move(ByteBuffer buffer, int from, int count);
    }

    /** Hands {@code length} four-byte values to the stream, bound for {@code address}. */
    void upload(long address, int length, Part fill) {
        for (int from = 0; from < length; ) {
            if (used == BYTES) {
                context.synchronize();
                used = 0;
            }
            int begin = used;
            int count = Math.min(length - from, (BYTES - begin) / 4);
            fill.move(at(begin), from, count);
            long to = address + 4L * from;
            context.calls()
                    .driver(
                            "cuMemcpyHtoDAsync",
                            () -> 4L * count + " bytes",
                            () -> JCudaDriver.cuMemcpyHtoDAsync(
                                    DeviceAddress.of(to), memory.withByteOffset(begin), 4L * count, context.stream()));
            // The next upload begins at a multiple of 16 bytes.
            used = begin + (4 * count + 15) / 16 * 16;
            from += count;
            context.counters().uploads++;
        }
    }

    /** Waits for the stream and for {@code length} four-byte values from {@code address}. */
    void download(long address, int length, Part drain) {
        // One stream, one order: what is on its way up has left the buffer before the first byte comes down.
        for (int from = 0; from < length; ) {
            int count = Math.min(length - from, BYTES / 4);
            long source = address + 4L * from;
            context.calls()
                    .driver(
                            "cuMemcpyDtoHAsync",
                            () -> 4L * count + " bytes",
                            () -> JCudaDriver.cuMemcpyDtoHAsync(
                                    memory.withByteOffset(BYTES),
                                    DeviceAddress.of(source),
                                    4L * count,
                                    context.stream()));
            context.synchronize();
            used = 0;
            drain.move(at(BYTES), from, count);
            from += count;
            context.counters().downloads++;
        }
    }

    private ByteBuffer at(int begin) {
        return buffer.duplicate().position(begin).slice().order(ByteOrder.nativeOrder());
    }

    /** Gives the memory back and returns the name of the status, null if all went well. */
    String free() {
        return memory.free();
    }
}
