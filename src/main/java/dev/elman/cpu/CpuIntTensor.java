package dev.elman.cpu;

import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;

/** Ints outside the heap. */
final class CpuIntTensor implements IntTensor {
    private final Memory memory;
    private final int offset;
    private final Shape shape;
    private final boolean owner;

    CpuIntTensor(Memory memory, Shape shape) {
        this(memory, 0, shape, true);
    }

    private CpuIntTensor(Memory memory, int offset, Shape shape, boolean owner) {
        this.memory = memory;
        this.offset = offset;
        this.shape = shape;
        this.owner = owner;
    }

    /** This tensor as one of these allocations, open; null stays null. */
    static CpuIntTensor of(Allocations allocations, IntTensor tensor) {
        if (tensor == null) return null;
        if (!(tensor instanceof CpuIntTensor own) || !own.memory.belongsTo(allocations)) {
            throw new IllegalArgumentException(
                    "This tensor belongs to another backend; copy it over by way of an array.");
        }
        own.memory.check();
        return own;
    }

    int get(int index) {
        return memory.ints().get(offset + index);
    }

    void read(int from, int[] into, int count) {
        memory.ints().get(offset + from, into, 0, count);
    }

    void write(int to, int[] values, int count) {
        memory.ints().put(offset + to, values, 0, count);
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public IntTensor view(long from, Shape inner) {
        memory.check();
        Operands.view(shape, from, inner);
        return new CpuIntTensor(memory, offset + (int) from, inner, false);
    }

    @Override
    public void set(int... values) {
        memory.check();
        Operands.set(shape, values.length);
        write(0, values, values.length);
    }

    @Override
    public int[] toInts() {
        int[] copy = new int[(int) shape.size()];
        read(0, copy, copy.length);
        return copy;
    }

    @Override
    public void close() {
        if (owner) memory.close();
    }
}
