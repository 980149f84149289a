package dev.elman.reference;

import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import java.util.Arrays;

/** Ints on the heap. */
final class ReferenceIntTensor implements IntTensor {
    private final Memory memory;
    private final int[] values;
    private final int offset;
    private final Shape shape;
    private final boolean owner;

    ReferenceIntTensor(ReferenceBackend backend, Shape shape) {
        this.values = new int[Math.toIntExact(shape.size())];
        this.memory = new Memory(backend); // counts, which an array that does not fit the heap should not
        this.offset = 0;
        this.shape = shape;
        this.owner = true;
    }

    private ReferenceIntTensor(Memory memory, int[] values, int offset, Shape shape, boolean owner) {
        this.memory = memory;
        this.values = values;
        this.offset = offset;
        this.shape = shape;
        this.owner = owner;
    }

    /** This tensor as one of {@code backend}'s, open. */
    static ReferenceIntTensor of(ReferenceBackend backend, IntTensor tensor) {
        if (!(tensor instanceof ReferenceIntTensor own)) {
            throw new IllegalArgumentException("This tensor belongs to another backend.");
        }
        own.memory.check(backend);
        return own;
    }

    int get(int index) {
        return values[offset + index];
    }

    void put(int index, int value) {
        values[offset + index] = value;
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public IntTensor view(long from, Shape inner) {
        memory.check();
        Operands.view(shape, from, inner);
        return new ReferenceIntTensor(memory, values, Math.toIntExact(offset + from), inner, false);
    }

    @Override
    public void set(int... source) {
        memory.check();
        Operands.set(shape, source.length);
        System.arraycopy(source, 0, values, offset, source.length);
    }

    @Override
    public int[] toInts() {
        memory.check();
        return Arrays.copyOfRange(values, offset, offset + (int) shape.size());
    }

    @Override
    public void close() {
        if (owner) memory.close();
    }
}
