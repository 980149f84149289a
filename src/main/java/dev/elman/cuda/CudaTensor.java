package dev.elman.cuda;

import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import jcuda.driver.CUdeviceptr;

/** Float32 on the device. */
final class CudaTensor extends DeviceArray implements Tensor {
    CudaTensor(CudaContext context, Shape shape) {
        super(context, shape);
    }

    CudaTensor(CudaContext context, CUdeviceptr pointer, Shape shape) {
        super(context, pointer, shape);
    }

    private CudaTensor(CudaTensor origin, long offset, Shape shape) {
        super(origin, offset, shape);
    }

    @Override
    public Tensor view(long offset, Shape inner) {
        return new CudaTensor(this, offset, inner);
    }

    @Override
    public void set(float... values) {
        upload(values.length, (buffer, from, count) -> buffer.asFloatBuffer().put(values, from, count));
    }

    @Override
    public void set(double... values) {
        upload(values.length, (buffer, from, count) -> {
            for (int i = 0; i < count; i++) buffer.putFloat(4 * i, (float) values[from + i]);
        });
    }

    @Override
    public float[] toFloats() {
        float[] values = new float[length()];
        download(values.length, (buffer, from, count) -> buffer.asFloatBuffer().get(values, from, count));
        return values;
    }

    @Override
    public double[] toDoubles() {
        double[] values = new double[length()];
        download(values.length, (buffer, from, count) -> {
            for (int i = 0; i < count; i++) values[from + i] = buffer.getFloat(4 * i);
        });
        return values;
    }
}
