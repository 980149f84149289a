package dev.elman.cuda;

import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.Tensor;
import jcuda.driver.CUdeviceptr;

/** Float32 on the device. */
final class CudaTensor implements Tensor {
    private final DeviceMemory memory;
    private final long address;
    private final Shape shape;
    private final boolean owner;

    /** New memory, filled with zeros. */
    CudaTensor(CudaContext context, Shape shape) {
        this(new DeviceMemory(context, Math.multiplyExact(shape.size(), 4L)), shape);
        memory.clear();
        context.openedTensor();
    }

    private CudaTensor(DeviceMemory memory, Shape shape) {
        this(memory, memory.address(), shape, true);
    }

    private CudaTensor(DeviceMemory memory, long address, Shape shape, boolean owner) {
        this.memory = memory;
        this.address = address;
        this.shape = shape;
        this.owner = owner;
    }

    /** The caller's memory from {@code pointer} on; closing this does nothing. See {@link DeviceMemory#ofCaller}. */
    static CudaTensor ofCaller(CudaContext context, CUdeviceptr pointer, Shape shape) {
        DeviceMemory memory = DeviceMemory.ofCaller(context, pointer, shape);
        return new CudaTensor(memory, memory.address(), shape, false);
    }

    /** Where the elements of this tensor lie, after a check that {@code context} may use them; 0 for null. */
    static long address(CudaContext context, Tensor tensor) {
        if (tensor == null) return 0;
        if (!(tensor instanceof CudaTensor own)) {
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
    public Tensor view(long offset, Shape inner) {
        memory.check();
        checkView(shape, offset, inner);
        return new CudaTensor(memory, address + 4 * offset, inner, false);
    }

    /** Checks that a view of {@code inner} at {@code offset} stays within {@code outer}. */
    static void checkView(Shape outer, long offset, Shape inner) {
        if (offset < 0 || inner.size() > outer.size() - offset) {
            throw new IndexOutOfBoundsException(
                    "A view " + inner + " at element " + offset + " reaches beyond its origin " + outer + ".");
        }
    }

    @Override
    public void set(float... values) {
        enter(values.length);
        memory.context()
                .staging()
                .upload(
                        address,
                        values.length,
                        (buffer, from, count) -> buffer.asFloatBuffer().put(values, from, count));
    }

    @Override
    public void set(double... values) {
        enter(values.length);
        memory.context().staging().upload(address, values.length, (buffer, from, count) -> {
            for (int i = 0; i < count; i++) buffer.putFloat(4 * i, (float) values[from + i]);
        });
    }

    private void enter(int length) {
        memory.check();
        if (length != shape.size()) {
            throw new ShapeMismatchException("set", "the array", "of length " + shape.size() + " for " + shape, length);
        }
        memory.context().enter();
    }

    @Override
    public float[] toFloats() {
        memory.check();
        memory.context().enter();
        float[] values = new float[Math.toIntExact(shape.size())];
        memory.context()
                .staging()
                .download(
                        address,
                        values.length,
                        (buffer, from, count) -> buffer.asFloatBuffer().get(values, from, count));
        return values;
    }

    @Override
    public double[] toDoubles() {
        memory.check();
        memory.context().enter();
        double[] values = new double[Math.toIntExact(shape.size())];
        memory.context().staging().download(address, values.length, (buffer, from, count) -> {
            for (int i = 0; i < count; i++) values[from + i] = buffer.getFloat(4 * i);
        });
        return values;
    }

    @Override
    public void close() {
        if (!owner || memory.freed()) return;
        memory.close();
        memory.context().closedTensor();
    }
}
