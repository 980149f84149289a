package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Activation;
import dev.elman.backend.AdamStep;
import dev.elman.backend.Backend;
import dev.elman.backend.Constraint;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What was laid out of weights is forgotten as soon as anything writes them. */
class ChangedWeightsTest {
    /** More than one panel; all operands are of this size. */
    private static final int WIDTH = 80;

    private static final SimpleRnnPass PASS = new SimpleRnnPass(Activation.TANH, false, null);

    private final Random random = new Random(7);
    private Backend backend;

    /** The panels are right with any kernels of OpenBLAS; only their speed depends on them. */
    @BeforeEach
    void open() {
        OpenBlasRequired.by("tests of weights that change");
        backend = new CpuBackend(new PanelGemm(), 2);
    }

    @AfterEach
    void close() {
        if (backend != null) backend.close(); // null in a test that is skipped
    }

    /** Changes w and only reads the other. */
    private interface Writer {
        void run(Backend backend, Tensor w, Tensor other);
    }

    /** Every way in which elements change. */
    static Stream<Named<Writer>> writers() {
        return Stream.of(
                named("set", (backend, w, other) -> w.set(other.toFloats())),
                named("set doubles", (backend, w, other) -> w.set(other.toDoubles())),
                named(
                        "set a view",
                        (backend, w, other) ->
                                w.slice(2, 1).set(other.slice(3, 1).toFloats())),
                named("fill", (backend, w, other) -> backend.fill(w, 0.25)),
                named("fill a view", (backend, w, other) -> backend.fill(w.slice(1, 1), 0.25)),
                named("copy", (backend, w, other) -> backend.copy(other, w)),
                named("axpy", (backend, w, other) -> backend.axpy(0.5, other, w)),
                named("multiply", (backend, w, other) -> backend.multiply(w, other, w)),
                named("copy columns", (backend, w, other) -> backend.copyColumns(other, 0, w, 3, 5)),
                named("mask rows", (backend, w, other) -> backend.maskRows(w, ints(backend, 0, 1), w)),
                named(
                        "embedding forward",
                        (backend, w, other) -> backend.embeddingForward(other, ints(backend, 0, WIDTH), w)),
                named(
                        "embedding backward",
                        (backend, w, other) -> backend.embeddingBackward(ints(backend, 0, WIDTH), other, w)),
                named("dense forward", (backend, w, other) -> backend.denseForward(other, other, null, w)),
                named(
                        "dense backward",
                        (backend, w, other) -> backend.denseBackward(other, other, other, null, w, null)),
                named(
                        "dense backward input",
                        (backend, w, other) ->
                                backend.denseBackward(other, other, other, w, backend.allocate(w.shape()), null)),
                named("linear forward", (backend, w, other) -> backend.linearForward(other, other, null, w)),
                named(
                        "linear backward",
                        (backend, w, other) -> backend.linearBackward(other, other, other, null, w, null)),
                named(
                        "linear backward input",
                        (backend, w, other) ->
                                backend.linearBackward(other, other, other, w, backend.allocate(w.shape()), null)),
                named(
                        "pool forward",
                        (backend, w, other) -> backend.poolForward(Pooling.MEAN, oneStep(other), null, w, null)),
                named(
                        "pool backward",
                        (backend, w, other) -> backend.poolBackward(Pooling.MEAN, other, null, null, oneStep(w))),
                named("dropout", (backend, w, other) -> backend.dropout(new Dropout(0.5, 3, 0), w, w)),
                named("softmax", (backend, w, other) -> backend.softmax(w, w)),
                named(
                        "cross entropy",
                        (backend, w, other) -> backend.softmaxCrossEntropy(
                                other, ints(backend, 0, WIDTH), 0, 1, backend.allocate(Shape.of(2)), w)),
                named("clip value", (backend, w, other) -> backend.clipValue(w, 0.05)),
                named(
                        "clip global norm",
                        (backend, w, other) -> backend.clipGlobalNorm(w, 0.1, backend.allocate(Shape.of(1)))),
                named("penalty", (backend, w, other) -> backend.addPenaltyGradient(other, 0.1, 0.1, w)),
                named(
                        "second moment",
                        (backend, w, other) -> backend.adamStep(
                                new AdamStep(0.1, 0.9, 0.99, 1e-7, 0, false, 1),
                                zeros(backend),
                                other,
                                zeros(backend),
                                w)),
                named("maximum", (backend, w, other) -> {
                    IntTensor argmax = backend.allocateInts(Shape.of(WIDTH, WIDTH));
                    backend.poolForward(Pooling.MAX, oneStep(other), null, w, argmax);
                }),
                named("norm", (backend, w, other) -> backend.clipGlobalNorm(ones(backend), 1, w.view(3, Shape.of(1)))),
                named(
                        "metrics",
                        (backend, w, other) -> backend.softmaxCrossEntropy(
                                other, ints(backend, 0, WIDTH), 0, 1, w.view(3, Shape.of(2)), zeros(backend))),
                named(
                        "bias gradient",
                        (backend, w, other) -> backend.denseBackward(
                                other, other, other, null, zeros(backend), w.view(0, Shape.of(WIDTH)))),
                named(
                        "linear bias gradient",
                        (backend, w, other) -> backend.linearBackward(
                                other, other, other, null, zeros(backend), w.view(0, Shape.of(WIDTH)))),
                named("input weights", (backend, w, other) -> addGradients(backend, other, w, zeros(backend), null)),
                named(
                        "recurrent weights",
                        (backend, w, other) -> addGradients(backend, other, zeros(backend), w, null)),
                named(
                        "biases",
                        (backend, w, other) -> addGradients(
                                backend, other, zeros(backend), zeros(backend), w.view(0, Shape.of(WIDTH)))),
                named("gradient of a maximum", (backend, w, other) -> {
                    IntTensor argmax = backend.allocateInts(Shape.of(WIDTH, WIDTH));
                    backend.poolForward(Pooling.MAX, oneStep(other), null, zeros(backend), argmax);
                    backend.poolBackward(Pooling.MAX, other, null, argmax, oneStep(w));
                }),
                named("constrain", (backend, w, other) -> backend.constrain(Constraint.unitNorm(), w)),
                named("rectify", (backend, w, other) -> backend.constrain(Constraint.nonNegative(), w)),
                named("sgd", (backend, w, other) -> backend.sgdStep(new SgdStep(0.1, 0, false, 0), w, other, null)),
                named(
                        "velocity",
                        (backend, w, other) ->
                                backend.sgdStep(new SgdStep(0.1, 0.9, false, 0), zeros(backend), other, w)),
                named(
                        "adam",
                        (backend, w, other) -> backend.adamStep(
                                new AdamStep(0.1, 0.9, 0.99, 1e-7, 0, false, 1),
                                w,
                                other,
                                zeros(backend),
                                zeros(backend))),
                named(
                        "moment",
                        (backend, w, other) -> backend.adamStep(
                                new AdamStep(0.1, 0.9, 0.99, 1e-7, 0, false, 1),
                                zeros(backend),
                                other,
                                w,
                                zeros(backend))),
                named(
                        "states",
                        (backend, w, other) -> backend.simpleRnnForward(new SimpleRnnForward(
                                weights(other), PASS, steps(other).slice(1, WIDTH - 1), steps(w)))),
                named(
                        "state gradients",
                        (backend, w, other) -> backward(backend, other, steps(w), null, weights(zeros(backend)))),
                named(
                        "input gradients",
                        (backend, w, other) -> backward(
                                backend,
                                other,
                                steps(ones(backend)),
                                steps(w).slice(1, WIDTH - 1),
                                weights(zeros(backend)))));
    }

    private static Named<Writer> named(String name, Writer writer) {
        return Named.of(name, writer);
    }

    @ParameterizedTest
    @MethodSource("writers")
    void areLaidOutAnew(Writer writer) {
        Tensor w = noise(WIDTH, WIDTH);
        Tensor other = noise(WIDTH, WIDTH);
        Tensor many = noise(100, WIDTH);
        Tensor few = noise(3, WIDTH);
        for (int times = 0; times < 3; times++) {
            multiply(many, w);
            multiply(few, w);
        }
        long before = version(other);
        writer.run(backend, w, other);
        assertEquals(before, version(other), "what is only read stays laid out");
        for (Tensor x : new Tensor[] {many, few}) assertArrayEquals(multiply(x, copy(w)), multiply(x, w));
    }

    /** Also those of a layer, laid out by columns or by rows, as they are and transposed. */
    @Test
    void ofALayerAreLaidOutAnew() {
        for (int[] sizes : new int[][] {{2, 30, 300}, {20, 30, 100}, {20, 30, 300}}) {
            Tensor wh = noise(sizes[2], sizes[2]);
            Tensor wx = noise(sizes[1], sizes[2]);
            Tensor x = noise(7, sizes[0], sizes[1]);
            for (int times = 0; times < 3; times++) layer(new SimpleRnnWeights(wx, wh, null), x);
            wh.set(noise(sizes[2], sizes[2]).toFloats());
            wx.set(noise(sizes[1], sizes[2]).toFloats());
            float[][] expected = layer(new SimpleRnnWeights(copy(wx), copy(wh), null), x);
            float[][] given = layer(new SimpleRnnWeights(wx, wh, null), x);
            for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], given[i], "result " + i);
        }
    }

    /** The states, and the gradients of states and inputs. */
    private float[][] layer(SimpleRnnWeights weights, Tensor x) {
        int n = x.shape().extent(1);
        int nodes = weights.wh().shape().extent(0);
        Tensor h = backend.allocate(Shape.of(x.shape().extent(0) + 1, n, nodes));
        Tensor dh = backend.allocate(h.shape());
        Tensor dx = backend.allocate(x.shape());
        SimpleRnnWeights gradients = new SimpleRnnWeights(
                backend.allocate(weights.wx().shape()),
                backend.allocate(weights.wh().shape()),
                null);
        backend.fill(dh, 0.1);
        SimpleRnnForward forward = new SimpleRnnForward(weights, PASS, x, h);
        backend.simpleRnnForward(forward);
        backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, dx, gradients));
        return new float[][] {h.toFloats(), dh.toFloats(), dx.toFloats()};
    }

    private static void addGradients(Backend backend, Tensor other, Tensor dWx, Tensor dWh, Tensor db) {
        backward(backend, other, steps(ones(backend)), null, new SimpleRnnWeights(dWx, dWh, db));
    }

    /** Of a layer whose weights, inputs and states are all the other's elements. */
    private static void backward(Backend backend, Tensor other, Tensor dh, Tensor dx, SimpleRnnWeights gradients) {
        Tensor b = gradients.b() == null ? null : other.view(0, Shape.of(WIDTH));
        SimpleRnnWeights weights = new SimpleRnnWeights(other, other, b);
        Tensor x = steps(other).slice(1, WIDTH - 1);
        SimpleRnnForward forward = new SimpleRnnForward(weights, PASS, x, steps(other));
        backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, dx, gradients));
    }

    private static Tensor ones(Backend backend) {
        Tensor ones = zeros(backend);
        backend.fill(ones, 1);
        return ones;
    }

    /** All zeros. */
    private static Tensor zeros(Backend backend) {
        return backend.allocate(Shape.of(WIDTH, WIDTH));
    }

    private static IntTensor ints(Backend backend, int from, int below) {
        int count = below == 1 ? WIDTH : below - from;
        IntTensor ints = backend.allocateInts(Shape.of(count));
        ints.set(new Random(8).ints(count, from, Math.max(2, below)).toArray());
        return ints;
    }

    /** [T,1,WIDTH]. */
    private static Tensor steps(Tensor tensor) {
        return tensor.reshape(Shape.of(WIDTH, 1, WIDTH));
    }

    /** [1,N,WIDTH]. */
    private static Tensor oneStep(Tensor tensor) {
        return tensor.reshape(Shape.of(1, WIDTH, WIDTH));
    }

    private static SimpleRnnWeights weights(Tensor tensor) {
        return new SimpleRnnWeights(tensor, tensor, null);
    }

    private static long version(Tensor tensor) {
        return ((CpuTensor) tensor).matrix(1, 1).memory().version();
    }

    private float[] multiply(Tensor x, Tensor w) {
        Tensor y = backend.allocate(Shape.of(x.shape().extent(0), WIDTH));
        backend.denseForward(x, w, null, y);
        return y.toFloats();
    }

    private Tensor copy(Tensor tensor) {
        Tensor copy = backend.allocate(tensor.shape());
        copy.set(tensor.toFloats());
        return copy;
    }

    private Tensor noise(int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        tensor.set(random.doubles(tensor.shape().size(), -0.1, 0.1).toArray());
        return tensor;
    }
}
