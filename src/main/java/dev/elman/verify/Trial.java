package dev.elman.verify;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * The operands of one call on one backend. Two trials with one seed hand out the same numbers, all of them exact in
 * float32, so that every backend starts from the same values.
 */
final class Trial implements AutoCloseable {
    private final Backend backend;
    private final Backend reference;
    private final Random random;
    private final int seed;
    private final Tampering tampering;
    private final List<Operand> operands = new ArrayList<>();
    private boolean nonFinite;

    Trial(Backend backend, Backend reference, long seed, Tampering tampering) {
        this.backend = backend;
        this.reference = reference;
        this.random = new Random(seed);
        this.seed = (int) seed;
        this.tampering = tampering;
    }

    Backend backend() {
        return backend;
    }

    /** For numbers that must be prepared, such as the states that a forward pass would have left. */
    Backend reference() {
        return reference;
    }

    Random random() {
        return random;
    }

    /** Uniform in (-scale, scale). */
    double[] uniform(long size, double scale) {
        double[] values = new double[Math.toIntExact(size)];
        for (int i = 0; i < values.length; i++) values[i] = (float) (scale * (2 * random.nextDouble() - 1));
        return values;
    }

    /** Multiples of 1/4 in [-1, 1]: equal values are frequent. */
    double[] coarse(long size) {
        double[] values = new double[Math.toIntExact(size)];
        for (int i = 0; i < values.length; i++) values[i] = (random.nextInt(9) - 4) / 4.0;
        return values;
    }

    int[] integers(long size, int from, int to) {
        return random.ints(size, from, to).toArray();
    }

    /** From now on equal infinities and NaN in equal places are right and not wrong. */
    void allowNonFinite() {
        nonFinite = true;
    }

    /** An input between -1 and 1. */
    Tensor input(String name, Shape shape) {
        return input(name, shape, uniform(shape.size(), 1));
    }

    Tensor input(String name, Shape shape, double[] values) {
        return add(name, shape, values).tensor();
    }

    /** An output that is to be overwritten: it holds NaN before. */
    Tensor output(String name, Shape shape, Tolerance tolerance) {
        double[] garbage = new double[Math.toIntExact(shape.size())];
        Arrays.fill(garbage, Double.NaN);
        return updated(name, shape, garbage, tolerance);
    }

    /** Something that is read and written; values between -1 and 1. */
    Tensor updated(String name, Shape shape, Tolerance tolerance) {
        return updated(name, shape, uniform(shape.size(), 1), tolerance);
    }

    Tensor updated(String name, Shape shape, double[] values, Tolerance tolerance) {
        return updated(name, shape, values, tolerance, 0, 0);
    }

    /** Something that is read and then overwritten, so that old values say nothing about the rounding of new ones. */
    Tensor replaced(String name, Shape shape, double[] values, Tolerance tolerance) {
        Operand operand = add(name, shape, values);
        operand.replaceable(tolerance);
        return operand.tensor();
    }

    /** As {@code updated}, but the elements from {@code from} to before {@code to} must keep their bits. */
    Tensor updated(String name, Shape shape, double[] values, Tolerance tolerance, int from, int to) {
        Operand operand = add(name, shape, values);
        operand.writable(tolerance, from, to);
        return operand.tensor();
    }

    IntTensor ints(String name, Shape shape, int... values) {
        return addInts(name, shape, Arrays.stream(values).asDoubleStream().toArray())
                .intTensor();
    }

    /** A mask [T,N]; null for none. */
    IntTensor mask(Masks masks, int t, int n) {
        int[] values = masks.values(t, n, random);
        return values == null ? null : ints("mask", Shape.of(t, n), values);
    }

    IntTensor intOutput(String name, Shape shape) {
        double[] garbage = new double[Math.toIntExact(shape.size())];
        Arrays.fill(garbage, -77);
        Operand operand = addInts(name, shape, garbage);
        operand.writable(Tolerance.EXACT, 0, 0);
        return operand.intTensor();
    }

    private Operand add(String name, Shape asked, double[] values) {
        int index = operands.size();
        Shape shape = tampering.shape(index, asked);
        Tensor owner = tampering.backend(index, backend).allocate(Operand.allocation(front(), shape));
        return remember(Operand.of(name, owner, front(), shape, fitting(values, shape)));
    }

    private Operand addInts(String name, Shape asked, double[] values) {
        int index = operands.size();
        Shape shape = tampering.shape(index, asked);
        IntTensor owner = tampering.backend(index, backend).allocateInts(Operand.allocation(front(), shape));
        return remember(Operand.of(name, owner, front(), shape, fitting(values, shape)));
    }

    private Operand remember(Operand operand) {
        operands.add(operand);
        return operand;
    }

    private static double[] fitting(double[] values, Shape shape) {
        return Arrays.copyOf(values, Math.toIntExact(shape.size()));
    }

    /**
     * Elements before the first: in half of the checks such that all tensors begin at addresses aligned well, which a kernel
     * asks for before it moves four numbers at once; in the others they begin anywhere.
     */
    private int front() {
        return 32 + (seed % 2 == 0 ? 0 : Math.floorMod(seed + operands.size(), 4));
    }

    List<Operand> operands() {
        return Collections.unmodifiableList(operands);
    }

    /** Judges every operand by the same one of the reference's trial. */
    void judge(Trial expected, Findings findings) {
        for (int i = 0; i < operands.size(); i++) {
            operands.get(i).judge(expected.operands.get(i), nonFinite, findings);
        }
    }

    @Override
    public void close() {
        operands.forEach(Operand::close);
    }
}
