package dev.elman.cuda;

import java.nio.ByteBuffer;
import java.util.function.IntSupplier;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

/**
 * One kernel, ready to be launched: its parameters are written one by one, in order, where the table of their addresses
 * behind them already points. JCuda passes that table on as it is; an array of pointers it would turn into one at every
 * launch, 0.2 us for each parameter.
 */
final class Launch {
    private static final int THREADS = 256;
    /** More blocks than fill any GPU; the kernels stride by the grid. */
    private static final int MOST_BLOCKS = 1 << 16;

    private static final int MOST_BLOCKS_Y = 65535;

    private final CudaContext context;
    private final KernelEntry kernel;
    private final CUfunction function;
    private final ByteBuffer values;
    private final Pointer table;
    private int next;
    /** Bytes that each block is handed, until another number is set. */
    private int shared;
    /** That the driver was told to expect. */
    private int mostShared;

    /**
     * A launch of this kernel.
     *
     * @param memory has {@link #bytes} for it, from {@code from} on
     */
    Launch(CudaContext context, KernelEntry kernel, CUfunction function, HostMemory memory, long from) {
        this.context = context;
        this.kernel = kernel;
        this.function = function;
        int count = kernel.parameters().length();
        values = memory.part(from, bytes(kernel));
        for (int i = 0; i < count; i++) values.putLong(8 * (count + i), memory.address() + from + 8L * i);
        table = memory.withByteOffset(from + 8L * count);
    }

    /** What the parameters of a kernel take, and the table of their addresses. */
    static int bytes(KernelEntry kernel) {
        return 2 * 8 * kernel.parameters().length();
    }

    /** Hands each block so many bytes of shared memory, beside those that the kernel declares itself. */
    Launch shared(int bytes) {
        if (bytes > mostShared) {
            context.calls()
                    .driver(
                            "cuFuncSetAttribute",
                            () -> bytes + " bytes of shared memory for " + kernel.entry(),
                            () -> JCudaDriver.cuFuncSetAttribute(
                                    function,
                                    CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                    bytes));
            mostShared = bytes;
        }
        shared = bytes;
        return this;
    }

    Launch pointer(long address) {
        values.putLong(slot('p'), address);
        return this;
    }

    Launch count(long value) {
        values.putLong(slot('l'), value);
        return this;
    }

    Launch integer(int value) {
        values.putInt(slot('i'), value);
        return this;
    }

    Launch real(double value) {
        values.putFloat(slot('f'), (float) value);
        return this;
    }

    Launch wide(double value) {
        values.putDouble(slot('d'), value);
        return this;
    }

    private int slot(char type) {
        if (next >= kernel.parameters().length() || kernel.parameters().charAt(next) != type) {
            throw new IllegalArgumentException(kernel.entry() + ": parameter " + next + " of " + kernel.parameters()
                    + " is not of type " + type + ".");
        }
        return 8 * next++;
    }

    /** Launches over {@code size} elements, four of which a thread takes at a time. */
    void over(long size) {
        long blocks = (size / 4 + THREADS) / THREADS;
        if (size > 0) launch((int) Math.min(blocks, MOST_BLOCKS), 1, THREADS, 1);
        else next = 0;
    }

    /** Launches over a matrix: {@code units} threads side by side for the columns of each row. */
    void over(long rows, long units) {
        if (rows == 0 || units == 0) {
            next = 0;
            return;
        }
        int width = 1;
        while (width < units && width < THREADS) width *= 2;
        int height = THREADS / width;
        long blocksX = Math.min((units + width - 1) / width, MOST_BLOCKS);
        long blocksY = Math.min((rows + height - 1) / height, MOST_BLOCKS_Y);
        launch((int) blocksX, (int) blocksY, width, height);
    }

    /** As {@link #over(long, long)} for a kernel that takes four columns at a time where it can. */
    void overQuads(long rows, long columns) {
        over(rows, columns % 4 == 0 ? columns / 4 : columns);
    }

    /** Launches this many blocks of this many threads, in one dimension. */
    void blocks(long blocks, int threads) {
        blocks(blocks, 1, threads);
    }

    /** Launches layers of this many blocks each. */
    void blocks(long blocks, int layers, int threads) {
        launch(Math.toIntExact(blocks), 1, layers, threads, 1);
    }

    /** Launches layers of groups of this many blocks, all of them at the same time, so that they may wait for each other. */
    void cooperating(int blocks, int groups, int layers, int threads) {
        start(
                "cuLaunchCooperativeKernel",
                new Grid(blocks, groups, layers, threads, 1),
                () -> JCudaDriver.cuLaunchCooperativeKernel(
                        function, blocks, groups, layers, threads, 1, 1, shared, context.stream(), table));
    }

    /** Launches this grid. Nothing is waited for; what fails on the device shows at a later call. */
    void launch(int blocksX, int blocksY, int threadsX, int threadsY) {
        launch(blocksX, blocksY, 1, threadsX, threadsY);
    }

    private void launch(int blocksX, int blocksY, int blocksZ, int threadsX, int threadsY) {
        start(
                "cuLaunchKernel",
                new Grid(blocksX, blocksY, blocksZ, threadsX, threadsY),
                () -> JCudaDriver.cuLaunchKernel(
                        function,
                        blocksX,
                        blocksY,
                        blocksZ,
                        threadsX,
                        threadsY,
                        1,
                        shared,
                        context.stream(),
                        table,
                        null));
    }

    private void start(String call, Grid grid, IntSupplier launch) {
        if (next != kernel.parameters().length()) {
            throw new IllegalArgumentException(
                    kernel.entry() + ": got " + next + " parameters of " + kernel.parameters() + ".");
        }
        next = 0;
        context.counters().launches++;
        context.calls().driver(call, () -> kernel.entry() + ", " + grid, launch);
    }

    private record Grid(int blocksX, int blocksY, int blocksZ, int threadsX, int threadsY) {
        @Override
        public String toString() {
            return blocksX + " x " + blocksY + " x " + blocksZ + " blocks of " + threadsX + " x " + threadsY;
        }
    }
}
