package dev.elman.cuda;

import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import jcuda.driver.CUdeviceptr;

/** Ints on the device. */
final class CudaIntTensor implements IntTensor {
    private final DeviceMemory memory;
    private final long address;
    private final Shape shape;
    private final boolean owner;

    /** New memory, filled with zeros. */
    CudaIntTensor(CudaContext context, Shape shape) {
        this(new DeviceMemory(context, Math.multiplyExact(shape.size(), 4L)), shape);
        memory.clear();
        context.openedTensor();
    }

    private CudaIntTensor(DeviceMemory memory, Shape shape) {
        this(memory, memory.address(), shape, true);
    }

    private CudaIntTensor(DeviceMemory memory, long address, Shape shape, boolean owner) {
        this.memory = memory;
        this.address = address;
        this.shape = shape;
        this.owner = owner;
    }

    /** The caller's memory from {@code pointer} on; closing this does nothing. See {@link DeviceMemory#ofCaller}. */
    static CudaIntTensor ofCaller(CudaContext context, CUdeviceptr pointer, Shape shape) {
        DeviceMemory memory = DeviceMemory.ofCaller(context, pointer, shape);
        return new CudaIntTensor(memory, memory.address(), shape, false);
    }

    /** Where the elements of this tensor lie, after a check that {@code context} may use them; 0 for null. */
    static long address(CudaContext context, IntTensor tensor) {
        if (tensor == null) return 0;
        if (!(tensor instanceof CudaIntTensor own)) {
            throw new IllegalArgumentException("This tensor belongs to another backend.");
        }
        own.memory.check(context);
        return own.address;
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public IntTensor view(long offset, Shape inner) {
        memory.check();
        CudaTensor.checkView(shape, offset, inner);
        return new CudaIntTensor(memory, address + 4 * offset, inner, false);
    }

    @Override
    public void set(int... values) {
        memory.check();
        if (values.length != shape.size()) {
            throw new ShapeMismatchException(
                    "set", "the array", "of length " + shape.size() + " for " + shape, values.length);
        }
        memory.context().enter();
        memory.context()
                .staging()
                .upload(
                        address,
                        values.length,
                        (buffer, from, count) -> buffer.asIntBuffer().put(values, from, count));
    }

    @Override
    public int[] toInts() {
        memory.check();
        memory.context().enter();
        int[] values = new int[Math.toIntExact(shape.size())];
        memory.context()
                .staging()
                .download(
                        address,
                        values.length,
                        (buffer, from, count) -> buffer.asIntBuffer().get(values, from, count));
        return values;
    }

    @Override
    public void close() {
        if (!owner || memory.freed()) return;
        memory.close();
        memory.context().closedTensor();
    }
}
