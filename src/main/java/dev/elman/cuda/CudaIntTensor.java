package dev.elman.cuda;

import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import jcuda.driver.CUdeviceptr;

/** Ints on the device. */
final class CudaIntTensor extends DeviceArray implements IntTensor {
    CudaIntTensor(CudaContext context, Shape shape) {
        super(context, shape);
    }

    CudaIntTensor(CudaContext context, CUdeviceptr pointer, Shape shape) {
        super(context, pointer, shape);
    }

    private CudaIntTensor(CudaIntTensor origin, long offset, Shape shape) {
        super(origin, offset, shape);
    }

    @Override
    public IntTensor view(long offset, Shape inner) {
        return new CudaIntTensor(this, offset, inner);
    }

    @Override
    public void set(int... values) {
        upload(values.length, (buffer, from, count) -> buffer.asIntBuffer().put(values, from, count));
    }

    @Override
    public int[] toInts() {
        int[] values = new int[length()];
        download(values.length, (buffer, from, count) -> buffer.asIntBuffer().get(values, from, count));
        return values;
    }
}
