package dev.elman.cpu;

import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.nio.FloatBuffer;

/**
 * Floats outside the heap. Loops over one tensor work on its buffer; loops over several read a block of each into an array,
 * work there, and write it back, because C2 cannot tell that two buffers do not overlap.
 */
final class CpuTensor implements Tensor {
    private final Memory memory;
    private final int offset;
    private final Shape shape;
    private final boolean owner;

    CpuTensor(Memory memory, Shape shape) {
        this(memory, 0, shape, true);
    }

    private CpuTensor(Memory memory, int offset, Shape shape, boolean owner) {
        this.memory = memory;
        this.offset = offset;
        this.shape = shape;
        this.owner = owner;
    }

    /** This tensor as one of these allocations, open; null stays null. */
    static CpuTensor of(Allocations allocations, Tensor tensor) {
        if (tensor == null) return null;
        if (!(tensor instanceof CpuTensor own) || !own.memory.belongsTo(allocations)) {
            throw new IllegalArgumentException(
                    "This tensor belongs to another backend; copy it over by way of an array.");
        }
        own.memory.check();
        return own;
    }

    /** See {@link Memory#mayChange}. */
    void mayChange() {
        memory.mayChange();
    }

    /** Elements from {@code from} on, into the beginning of an array. */
    void read(int from, float[] into, int count) {
        read(from, into, 0, count);
    }

    /** Elements from {@code from} on, into an array from index {@code to} on. */
    void read(int from, float[] into, int to, int count) {
        memory.floats().get(offset + from, into, to, count);
    }

    /** The bits of elements from {@code from} on, into the beginning of an array. */
    void readBits(int from, int[] into, int count) {
        memory.ints().get(offset + from, into, 0, count);
    }

    /** The beginning of an array, to element {@code to} on. */
    void write(int to, float[] values, int count) {
        write(to, values, 0, count);
    }

    /** {@code count} elements of an array, to element {@code to} on. */
    void write(int to, float[] values, int from, int count) {
        memory.floats().put(offset + to, values, from, count);
    }

    /** The beginning of an array of bits, to element {@code to} on. */
    void writeBits(int to, int[] bits, int count) {
        memory.ints().put(offset + to, bits, 0, count);
    }

    /** What its elements lie in, with others'; see {@link #index}. */
    FloatBuffer floats() {
        return memory.floats();
    }

    /** Where an element lies in {@link #floats}. */
    int index(int element) {
        return offset + element;
    }

    void copyTo(int from, CpuTensor target, int to, int count) {
        target.memory.floats().put(target.offset + to, memory.floats(), offset + from, count);
    }

    /** The first of {@code count} pieces of {@code size} elements, which lie side by side, becomes all of them. */
    void repeat(int from, int size, int count) {
        for (int done = 1; done < count; done *= 2) {
            copyTo(from, this, from + done * size, Math.min(done, count - done) * size);
        }
    }

    /** All elements as a matrix. */
    Matrix matrix(int rows, int columns) {
        return new Matrix(memory, offset, rows, columns, columns, false);
    }

    int size() {
        return (int) shape.size();
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public Tensor view(long from, Shape inner) {
        memory.check();
        Operands.view(shape, from, inner);
        return new CpuTensor(memory, offset + (int) from, inner, false);
    }

    @Override
    public void set(float... values) {
        memory.check();
        Operands.set(shape, values.length);
        memory.set(offset, values);
    }

    @Override
    public void set(double... values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < values.length; i++) rounded[i] = (float) values[i];
        set(rounded);
    }

    @Override
    public float[] toFloats() {
        float[] copy = new float[size()];
        read(0, copy, copy.length);
        return copy;
    }

    @Override
    public double[] toDoubles() {
        float[] floats = toFloats();
        double[] copy = new double[floats.length];
        for (int i = 0; i < copy.length; i++) copy[i] = floats[i];
        return copy;
    }

    @Override
    public void close() {
        if (owner) memory.close();
    }
}
