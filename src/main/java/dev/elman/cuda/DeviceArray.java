package dev.elman.cuda;

import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import jcuda.driver.CUdeviceptr;

/** Numbers of 4 bytes on the device, whatever they are: memory of their own, the caller's, or a view of either. */
abstract class DeviceArray {
    private final DeviceMemory memory;
    private final long address;
    private final Shape shape;
    private final boolean owner;

    /** New memory, filled with zeros. */
    DeviceArray(CudaContext context, Shape shape) {
        this.memory = new DeviceMemory(context, DeviceMemory.bytes(shape));
        this.address = memory.address();
        this.shape = shape;
        this.owner = true;
        memory.clear();
        context.openedTensor();
    }

    /** The caller's memory from {@code pointer} on; closing this does nothing. See {@link DeviceMemory#ofCaller}. */
    DeviceArray(CudaContext context, CUdeviceptr pointer, Shape shape) {
        this.memory = DeviceMemory.ofCaller(context, pointer, shape);
        this.address = memory.address();
        this.shape = shape;
        this.owner = false;
    }

    /** The elements of {@code origin} from {@code offset} on. */
    DeviceArray(DeviceArray origin, long offset, Shape shape) {
        origin.memory.check();
        Operands.view(origin.shape, offset, shape);
        this.memory = origin.memory;
        this.address = origin.address + 4 * offset;
        this.shape = shape;
        this.owner = false;
    }

    /** Where the elements lie, after a check that {@code context} may use them; 0 for null. */
    static long address(CudaContext context, Tensor tensor) {
        return addressOf(context, tensor);
    }

    /** As above. */
    static long address(CudaContext context, IntTensor tensor) {
        return addressOf(context, tensor);
    }

    private static long addressOf(CudaContext context, Object tensor) {
        if (tensor == null) return 0;
        if (!(tensor instanceof DeviceArray own)) {
            throw new IllegalArgumentException("This tensor belongs to another backend.");
        }
        own.memory.check(context);
        return own.address;
    }

    public final Shape shape() {
        return shape;
    }

    /** Takes all elements, {@code length} of them, to the device. */
    final void upload(int length, Staging.Part fill) {
        memory.check();
        Operands.set(shape, length);
        memory.context().enter();
        memory.context().staging().upload(address, length, fill);
    }

    /** Brings all elements here, {@code length} of them. */
    final void download(int length, Staging.Part drain) {
        memory.context().enter();
        memory.context().staging().download(address, length, drain);
    }

    /** How many elements there are to bring here. */
    final int length() {
        memory.check();
        return Math.toIntExact(shape.size());
    }

    public final void close() {
        if (!owner || memory.freed()) return;
        try {
            memory.close();
        } finally {
            if (memory.freed()) memory.context().closedTensor();
        }
    }
}
