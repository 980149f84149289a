package dev.elman.reference;

import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;

/** Doubles on the heap. */
final class ReferenceTensor implements Tensor {
    private final Memory memory;
    private final double[] values;
    private final int offset;
    private final Shape shape;
    private final boolean owner;

    ReferenceTensor(ReferenceBackend backend, Shape shape) {
        this.values = new double[Math.toIntExact(shape.size())];
        this.memory = new Memory(backend); // counts, which an array that does not fit the heap should not
        this.offset = 0;
        this.shape = shape;
        this.owner = true;
    }

    private ReferenceTensor(Memory memory, double[] values, int offset, Shape shape, boolean owner) {
        this.memory = memory;
        this.values = values;
        this.offset = offset;
        this.shape = shape;
        this.owner = owner;
    }

    /** This tensor as one of {@code backend}'s, open. */
    static ReferenceTensor of(ReferenceBackend backend, Tensor tensor) {
        if (!(tensor instanceof ReferenceTensor own)) {
            throw new IllegalArgumentException("This tensor belongs to another backend.");
        }
        own.memory.check(backend);
        return own;
    }

    double get(int index) {
        return values[offset + index];
    }

    void put(int index, double value) {
        values[offset + index] = value;
    }

    void add(int index, double value) {
        values[offset + index] += value;
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public Tensor view(long from, Shape inner) {
        memory.check();
        Operands.view(shape, from, inner);
        return new ReferenceTensor(memory, values, Math.toIntExact(offset + from), inner, false);
    }

    @Override
    public void set(float... source) {
        memory.check();
        Operands.set(shape, source.length);
        for (int i = 0; i < source.length; i++) values[offset + i] = source[i];
    }

    @Override
    public void set(double... source) {
        memory.check();
        Operands.set(shape, source.length);
        System.arraycopy(source, 0, values, offset, source.length);
    }

    @Override
    public float[] toFloats() {
        memory.check();
        float[] copy = new float[(int) shape.size()];
        for (int i = 0; i < copy.length; i++) copy[i] = (float) values[offset + i];
        return copy;
    }

    @Override
    public double[] toDoubles() {
        memory.check();
        return java.util.Arrays.copyOfRange(values, offset, offset + (int) shape.size());
    }

    @Override
    public void close() {
        if (owner) memory.close();
    }
}
