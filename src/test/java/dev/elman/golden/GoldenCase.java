package dev.elman.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.io.SafeTensors;
import dev.elman.verify.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One fixture on one backend: its tensors uploaded, and results judged by it. */
final class GoldenCase implements AutoCloseable {
    /** Double against double: both have rounded. */
    private static final double RELATIVE = 1e-12;

    private final Backend backend;
    private final SafeTensors file;
    private final List<Tensor> tensors = new ArrayList<>();
    private final List<IntTensor> intTensors = new ArrayList<>();

    GoldenCase(Backend backend, SafeTensors file) {
        this.backend = backend;
        this.file = file;
    }

    Backend backend() {
        return backend;
    }

    String text(String key) {
        return file.metadata().get(key);
    }

    double number(String key) {
        return Double.parseDouble(text(key));
    }

    /** False where the fixture does not say. */
    boolean flag(String key) {
        return Boolean.parseBoolean(text(key));
    }

    boolean has(String name) {
        return file.tensors().containsKey(name);
    }

    double[] values(String name) {
        return file.tensors().get(name).doubles();
    }

    int[] integers(String name) {
        return file.tensors().get(name).ints();
    }

    Shape shape(String name) {
        long[] extents = file.tensors().get(name).shape();
        return Shape.of(Arrays.stream(extents).mapToInt(Math::toIntExact).toArray());
    }

    Tensor upload(String name) {
        Tensor tensor = zeros(shape(name));
        tensor.set(values(name));
        return tensor;
    }

    IntTensor uploadInts(String name) {
        IntTensor tensor = zeroInts(shape(name));
        tensor.set(integers(name));
        return tensor;
    }

    Tensor zeros(int... extents) {
        return zeros(Shape.of(extents));
    }

    Tensor zeros(Shape shape) {
        Tensor tensor = backend.allocate(shape);
        tensors.add(tensor);
        return tensor;
    }

    IntTensor zeroInts(Shape shape) {
        IntTensor tensor = backend.allocateInts(shape);
        intTensors.add(tensor);
        return tensor;
    }

    void assertClose(String name, Tensor given, long terms) {
        assertClose(name, values(name), given.toDoubles(), terms, 1);
    }

    /** Where the fixture has one entry of {@code name} for each step. */
    void assertCloseOfStep(String name, int step, double[] given, long terms) {
        double[] expected = Arrays.copyOfRange(values(name), step * given.length, (step + 1) * given.length);
        assertClose(name + " of step " + (step + 1), expected, given, terms, 1);
    }

    /**
     * Relative error of 1e-12 in double. In float32 the tolerance of the contract, with three roundings for each term
     * instead of one: the fixture's inputs are doubles, so both factors were rounded on the way in.
     */
    void assertClose(String name, double[] expected, double[] given, long terms, double magnitude) {
        assertEquals(expected.length, given.length, name);
        double seen = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        double bound = new Tolerance(3 * terms, magnitude).bound(backend.unitRoundoff(), seen);
        bound = Math.max(bound, RELATIVE * Math.max(magnitude, seen));
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], given[i], bound, name + ", element " + i);
        }
    }

    @Override
    public void close() {
        tensors.forEach(Tensor::close);
        intTensors.forEach(IntTensor::close);
    }
}
