package dev.elman.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every gradient of the reference is the slope of its own forward pass: (f(p + s) - f(p - s)) / 2s in double, where f is
 * the outputs times fixed random numbers, which are then the gradient that comes from above.
 */
class GradientCheckTest {
    private static final double STEP = 1e-5;
    private static final double LIMIT = 1e-6;
    private static final int T = 5;
    private static final int N = 4;
    private static final int D = 3;
    private static final int H = 6;

    private final Backend backend = new ReferenceBackend();
    private final Random random = new Random(8);
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable tensor : opened) tensor.close();
        assertEquals(0, backend.liveTensors());
        backend.close();
    }

    static Stream<Arguments> recurrences() {
        return Stream.of(Activation.values())
                .flatMap(activation -> Stream.of(false, true)
                        .flatMap(reverse -> Stream.of("none", "right", "left", "holes")
                                .map(mask -> Arguments.of(activation, reverse, mask))));
    }

    @ParameterizedTest
    @MethodSource("recurrences")
    void simpleRnn(Activation activation, boolean reverse, String padding) {
        checkRecurrence(new SimpleRnnPass(activation, reverse, mask(padding)));
    }

    @ParameterizedTest
    @MethodSource("recurrences")
    void simpleRnnWithRecurrentDropout(Activation activation, boolean reverse, String padding) {
        checkRecurrence(new SimpleRnnPass(activation, reverse, mask(padding), new Dropout(.4, 5, 3, true)));
    }

    private void checkRecurrence(SimpleRnnPass pass) {
        SimpleRnnWeights weights = new SimpleRnnWeights(uniform(D, H), uniform(H, H), uniform(H));
        Tensor x = uniform(T, N, D);
        Tensor h = uniform(T + 1, N, H);
        Tensor above = uniform(T + 1, N, H);
        SimpleRnnForward forward = new SimpleRnnForward(weights, pass, x, h);
        if (pass.activation() == Activation.RELU) assertFarFromKinks(forward);
        Slope slope = new Slope(() -> backend.simpleRnnForward(forward), above, h);
        slope.forward().run();
        Tensor dh = copyOf(above);
        Tensor dx = zeros(T, N, D);
        SimpleRnnWeights gradients = new SimpleRnnWeights(zeros(D, H), zeros(H, H), zeros(H));
        backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, dx, gradients));
        Tensor initial = h.slice(pass.initialSlot(T), 1);
        double[] initialGradient = dh.slice(pass.initialSlot(T), 1).toDoubles();
        assertSlopes("wx", weights.wx(), gradients.wx(), slope);
        assertSlopes("wh", weights.wh(), gradients.wh(), slope);
        assertSlopes("b", weights.b(), gradients.b(), slope);
        assertSlopes("x", x, dx, slope);
        assertSlopes("h0", initial, initialGradient, slope);
    }

    /** A step that is linear has its sum for a state; none of them may change sign within a difference. */
    private void assertFarFromKinks(SimpleRnnForward forward) {
        backend.simpleRnnForward(forward);
        SimpleRnnPass pass = forward.pass();
        SimpleRnnPass linear = new SimpleRnnPass(Activation.LINEAR, pass.reverse(), null, pass.recurrentDropout());
        for (int t = 0; t < T; t++) {
            Tensor step = copyOf(forward.h().slice(t, 2));
            Tensor x = forward.x().slice(t, 1);
            backend.simpleRnnForward(new SimpleRnnForward(forward.weights(), linear, x, step));
            double[] sums = step.slice(pass.reverse() ? 0 : 1, 1).toDoubles();
            for (double sum : sums) assertTrue(Math.abs(sum) > 20 * STEP, "a sum of " + sum + ": choose another seed");
        }
    }

    /** Rows of length 0, 1 and T are among them. */
    private IntTensor mask(String padding) {
        if (padding.equals("none")) return null;
        int[] lengths = {T, 2, 0, 1};
        int[] live = new int[T * N];
        for (int i = 0; i < live.length; i++) {
            int t = i / N;
            int length = lengths[i % N];
            boolean on = switch (padding) {
                case "right" -> t < length;
                case "left" -> t >= T - length;
                default -> random.nextBoolean();
            };
            live[i] = on ? 1 : 0;
        }
        return ints(Shape.of(T, N), live);
    }

    @Test
    void embedding() {
        Tensor table = uniform(5, D);
        IntTensor ids = ints(Shape.of(4), 1, 3, 1, 0);
        Tensor y = zeros(4, D);
        Tensor above = uniform(4, D);
        Tensor dTable = zeros(5, D);
        backend.embeddingBackward(ids, above, dTable);
        assertSlopes("table", table, dTable, new Slope(() -> backend.embeddingForward(table, ids, y), above, y));
    }

    @Test
    void dense() {
        Tensor x = uniform(N, D);
        Tensor w = uniform(D, H);
        Tensor b = uniform(H);
        Tensor y = zeros(N, H);
        Tensor above = uniform(N, H);
        Tensor dx = zeros(N, D);
        Tensor dw = zeros(D, H);
        Tensor db = zeros(H);
        backend.denseBackward(x, w, above, dx, dw, db);
        Slope slope = new Slope(() -> backend.denseForward(x, w, b, y), above, y);
        assertSlopes("x", x, dx, slope);
        assertSlopes("w", w, dw, slope);
        assertSlopes("b", b, db, slope);
    }

    @Test
    void linear() {
        Tensor x = uniform(N, D);
        Tensor w = uniform(H, D);
        Tensor b = uniform(H);
        Tensor y = zeros(N, H);
        Tensor above = uniform(N, H);
        Tensor dx = zeros(N, D);
        Tensor dw = zeros(H, D);
        Tensor db = zeros(H);
        backend.linearBackward(x, w, above, dx, dw, db);
        Slope slope = new Slope(() -> backend.linearForward(x, w, b, y), above, y);
        assertSlopes("x", x, dx, slope);
        assertSlopes("w", w, dw, slope);
        assertSlopes("b", b, db, slope);
    }

    @ParameterizedTest
    @EnumSource(Pooling.class)
    void pool(Pooling pooling) {
        for (String padding : List.of("none", "right", "left", "holes")) {
            IntTensor mask = mask(padding);
            Tensor x = uniform(T, N, D);
            Tensor y = zeros(N, D);
            Tensor above = uniform(N, D);
            Tensor dx = zeros(T, N, D);
            IntTensor argmax = pooling == Pooling.MAX ? ints(Shape.of(N, D), new int[N * D]) : null;
            Slope slope = new Slope(() -> backend.poolForward(pooling, x, mask, y, argmax), above, y);
            slope.forward().run();
            backend.poolBackward(pooling, above, mask, argmax, dx);
            assertSlopes("x, " + padding, x, dx, slope);
        }
    }

    @Test
    void dropout() {
        Dropout dropout = new Dropout(.4, 5, 3);
        Tensor x = uniform(T, N, D);
        Tensor y = zeros(T, N, D);
        Tensor above = uniform(T, N, D);
        Tensor dx = zeros(T, N, D);
        backend.dropout(dropout, above, dx);
        assertSlopes("x", x, dx, new Slope(() -> backend.dropout(dropout, x, y), above, y));
    }

    @Test
    void maskRows() {
        IntTensor keep = ints(Shape.of(N), 1, 0, 7, 0);
        Tensor x = uniform(N, D);
        Tensor y = zeros(N, D);
        Tensor above = uniform(N, D);
        Tensor dx = zeros(N, D);
        backend.maskRows(above, keep, dx);
        assertSlopes("x", x, dx, new Slope(() -> backend.maskRows(x, keep, y), above, y));
    }

    @Test
    void penalty() {
        double[] w = {.5, -.25, 2, -3};
        Tensor weights = zeros(4);
        Tensor gradient = zeros(4);
        weights.set(w);
        backend.addPenaltyGradient(weights, .3, .7, gradient);
        double[] given = gradient.toDoubles();
        for (int i = 0; i < w.length; i++) {
            double slope = (penalty(w[i] + STEP, .3, .7) - penalty(w[i] - STEP, .3, .7)) / (2 * STEP);
            assertEquals(slope, given[i], LIMIT);
        }
    }

    private static double penalty(double w, double l1, double l2) {
        return l1 * Math.abs(w) + l2 * w * w;
    }

    /** The gradient of a copy of columns is the copy back. */
    @Test
    void copyColumns() {
        Tensor x = uniform(N, D);
        Tensor y = zeros(N, H);
        Tensor above = uniform(N, H);
        Tensor dx = zeros(N, D);
        backend.copyColumns(above, 3, dx, 1, 2);
        assertSlopes("x", x, dx, new Slope(() -> backend.copyColumns(x, 1, y, 3, 2), above, y));
    }

    @Test
    void softmaxCrossEntropy() {
        for (double smoothing : new double[] {0, .1, .9}) {
            for (double scale : new double[] {1, .25, 3}) {
                Tensor logits = uniform(N, H);
                IntTensor labels = ints(Shape.of(N), 0, H - 1, -1, 2);
                Tensor metrics = zeros(2);
                Tensor gradient = zeros(N, H);
                Tensor above = zeros(2);
                above.set(1., 0.);
                Slope slope = new Slope(
                        () -> backend.softmaxCrossEntropy(logits, labels, smoothing, scale, metrics, gradient),
                        above,
                        metrics);
                slope.forward().run();
                String name = "logits, smoothing " + smoothing + ", scale " + scale;
                assertSlopes(name, logits, gradient.toDoubles(), slope);
            }
        }
    }

    /** The probabilities are what the loss compares with its targets: its gradient, without targets, at no smoothing. */
    @Test
    void softmax() {
        Tensor logits = uniform(N, H);
        IntTensor labels = ints(Shape.of(N), IntStream.range(0, N).toArray());
        Tensor metrics = zeros(2);
        Tensor gradient = zeros(N, H);
        Tensor probabilities = zeros(N, H);
        backend.softmaxCrossEntropy(logits, labels, 0, 1, metrics, gradient);
        backend.softmax(logits, probabilities);
        double[] expected = gradient.toDoubles();
        for (int n = 0; n < N; n++) expected[n * H + n] += 1;
        double[] given = probabilities.toDoubles();
        for (int i = 0; i < given.length; i++) assertEquals(expected[i], given[i], 1e-15);
    }

    private static void assertSlopes(String name, Tensor of, Tensor gradient, Slope slope) {
        assertSlopes(name, of, gradient.toDoubles(), slope);
    }

    /** Relative error at most 1e-6 for each element; one far smaller than the largest is judged by a thousandth of that. */
    private static void assertSlopes(String name, Tensor of, double[] gradient, Slope slope) {
        double[] values = of.toDoubles();
        assertEquals(values.length, gradient.length);
        double largest = 0;
        for (double each : gradient) largest = Math.max(largest, Math.abs(each));
        for (int i = 0; i < values.length; i++) {
            double measured = (slope.moved(of, values, i, STEP) - slope.moved(of, values, i, -STEP)) / (2 * STEP);
            double size = Math.max(1e-3 * largest, Math.max(Math.abs(measured), Math.abs(gradient[i])));
            assertEquals(measured, gradient[i], LIMIT * size, name + ", element " + i);
        }
        of.set(values);
    }

    /** f = the outputs y of a forward pass times the gradient that comes from above. */
    private record Slope(Runnable forward, Tensor above, Tensor y) {
        double moved(Tensor of, double[] values, int index, double by) {
            double[] changed = values.clone();
            changed[index] += by;
            of.set(changed);
            forward.run();
            double[] weights = above.toDoubles();
            double[] outputs = y.toDoubles();
            return IntStream.range(0, weights.length)
                    .mapToDouble(i -> weights[i] * outputs[i])
                    .sum();
        }
    }

    private Tensor uniform(int... extents) {
        Tensor tensor = zeros(extents);
        tensor.set(random.doubles(tensor.shape().size(), -1, 1).toArray());
        return tensor;
    }

    private Tensor copyOf(Tensor tensor) {
        Tensor copy = backend.allocate(tensor.shape());
        opened.add(copy);
        backend.copy(tensor, copy);
        return copy;
    }

    private Tensor zeros(int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        opened.add(tensor);
        return tensor;
    }

    private IntTensor ints(Shape shape, int... values) {
        IntTensor tensor = backend.allocateInts(shape);
        opened.add(tensor);
        tensor.set(values);
        return tensor;
    }
}
