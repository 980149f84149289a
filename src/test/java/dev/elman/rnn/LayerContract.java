package dev.elman.rnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.reference.ReferenceBackend;
import dev.elman.verify.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every switch of {@link SimpleRnn}, alone and all together, on the backend that a subclass names: outputs, states and all
 * gradients are those of the reference, with and without a mask, training and predicting.
 */
abstract class LayerContract {
    static final int T = 6;
    static final int N = 5;
    static final int D = 3;
    static final int H = 4;
    /** Generous: two layers, both ways. */
    private static final long TERMS = 400;

    private final String name;
    private final Supplier<Backend> opener;

    LayerContract(String name, Supplier<Backend> opener) {
        this.name = name;
        this.opener = opener;
    }

    @TestFactory
    Stream<DynamicTest> switches() {
        SimpleRnnConfig plain = SimpleRnnConfig.of(D, H);
        SimpleRnnConfig both = plain.withBidirectional(true);
        Map<String, SimpleRnnConfig> configs = new LinkedHashMap<>();
        configs.put("plain", plain);
        configs.put("layers", plain.withLayers(3));
        configs.put("relu without bias", plain.withActivation(Activation.RELU).withBias(false));
        configs.put(
                "linear, two biases", plain.withActivation(Activation.LINEAR).withRecurrentBias(true));
        configs.put("go backwards", plain.withGoBackwards(true).withLayers(2));
        configs.put("zero output for mask", plain.withZeroOutputForMask(true));
        configs.put("go backwards, zero output", plain.withGoBackwards(true).withZeroOutputForMask(true));
        configs.put("input dropout", plain.withInputDropout(.4));
        configs.put("recurrent dropout", plain.withRecurrentDropout(.4));
        configs.put("layer dropout", plain.withLayers(2).withLayerDropout(.4));
        for (Merge merge : Merge.values()) {
            for (Output output : Output.values()) {
                configs.put(merge + " " + output, both.withMerge(merge).withOutput(output));
            }
        }
        configs.put(
                "all of them",
                both.withLayers(3)
                        .withMerge(Merge.AVE)
                        .withRecurrentBias(true)
                        .withInputDropout(.2)
                        .withRecurrentDropout(.3)
                        .withLayerDropout(.4));
        for (Output output : Output.values()) configs.put("one direction, " + output, plain.withOutput(output));
        return configs.entrySet().stream()
                .map(entry ->
                        dynamicTest(entry.getKey(), () -> sameAsReference(entry.getValue(), LayerContract::twoCalls)));
    }

    /** What goes on from call to call, alone and with the other switches. */
    @TestFactory
    Stream<DynamicTest> carriedStates() {
        SimpleRnnConfig plain = SimpleRnnConfig.of(D, H).withStateful(true);
        Map<String, SimpleRnnConfig> configs = new LinkedHashMap<>();
        configs.put("stateful", plain);
        configs.put("stateful, go backwards", plain.withGoBackwards(true));
        configs.put("stateful, last", plain.withOutput(Output.LAST));
        configs.put("stateful layers, two biases", plain.withLayers(3).withRecurrentBias(true));
        configs.put(
                "all of them",
                plain.withLayers(2)
                        .withBidirectional(true)
                        .withInputDropout(.2)
                        .withRecurrentDropout(.3)
                        .withLayerDropout(.2));
        return configs.entrySet().stream()
                .map(entry -> dynamicTest(
                        entry.getKey(), () -> sameAsReference(entry.getValue(), CarriedStates::sevenCalls)));
    }

    /** What must be the same within a backend, whatever the reference gives. */
    @TestFactory
    Stream<DynamicTest> equalities() {
        return Stream.of(
                equality("a sequence in pieces is the whole", CarriedStates::pieces),
                equality("rows that are reset begin with zeros and the others go on", CarriedStates::resetRows),
                equality("a call that is resumed is the rest of the last", CarriedStates::resumed),
                equality("a window's gradient flows through k2 steps and no further", CarriedStates::truncated));
    }

    private DynamicTest equality(String what, BiConsumer<Backend, BiConsumer<double[], double[]>> test) {
        return dynamicTest(what, () -> {
            try (Backend backend = Required.open(name, opener)) {
                test.accept(backend, (left, right) -> assertClose(backend.unitRoundoff(), left, right, what));
                assertEquals(0, backend.liveTensors());
            }
        });
    }

    /** Calls of a layer on a backend, and all that they give. */
    private interface Scenario {
        List<double[]> run(Backend backend, SimpleRnnConfig config, boolean masked, Training training);
    }

    private void sameAsReference(SimpleRnnConfig config, Scenario scenario) {
        try (Backend tested = Required.open(name, opener);
                Backend reference = new ReferenceBackend()) {
            for (boolean masked : new boolean[] {false, true}) {
                for (Training training : Arrays.asList(null, new Training(77, 3))) {
                    List<double[]> expected = scenario.run(reference, config, masked, training);
                    List<double[]> given = scenario.run(tested, config, masked, training);
                    for (int i = 0; i < expected.size(); i++) {
                        assertClose(tested.unitRoundoff(), expected.get(i), given.get(i), "result " + i);
                    }
                }
            }
            assertEquals(0, tested.liveTensors());
        }
    }

    private static void assertClose(double unitRoundoff, double[] expected, double[] given, String what) {
        double seen = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        double bound = Tolerance.ofTerms(TERMS).bound(unitRoundoff, seen);
        assertEquals(expected.length, given.length, what);
        for (int i = 0; i < expected.length; i++) assertEquals(expected[i], given[i], bound, what + ", element " + i);
    }

    /** Output, state, dx, and the gradients of every direction of two calls, so that buffers are met a second time. */
    private static List<double[]> twoCalls(Backend backend, SimpleRnnConfig config, boolean masked, Training training) {
        Random random = new Random(5);
        List<double[]> results = new ArrayList<>();
        try (SimpleRnn rnn = SimpleRnn.create(backend, config, Initializers.torchDefaults(), 1);
                Tensor start = uniform(backend, random, N, config.stateSize());
                Tensor dState = uniform(backend, random, N, config.stateSize())) {
            for (int t : new int[] {T, T - 2}) {
                try (Tensor x = uniform(backend, random, t, N, D);
                        IntTensor mask = masked ? mask(backend, t, N) : null) {
                    Tensor y = rnn.forward(x, mask, start, training);
                    results.add(y.toDoubles());
                    results.add(rnn.state().toDoubles());
                    try (Tensor dy = backend.allocate(y.shape())) {
                        dy.set(numbers(random, y.shape()));
                        results.add(rnn.backward(dy, dState, true).toDoubles());
                    }
                }
            }
            addGradients(rnn, results);
        }
        return results;
    }

    static void addGradients(SimpleRnn rnn, List<double[]> results) {
        SimpleRnnConfig config = rnn.config();
        for (int i = 0; i < config.stateSize() / H; i++) {
            results.add(rnn.initialStateGradient(i).toDoubles());
            results.add(rnn.gradients(i).wx().toDoubles());
            results.add(rnn.gradients(i).wh().toDoubles());
            if (config.bias()) results.add(rnn.gradients(i).b().toDoubles());
            if (config.recurrentBias()) results.add(rnn.recurrentBiasGradient(i).toDoubles());
        }
    }

    /** Padding on both sides, a hole, an empty row. */
    static IntTensor mask(Backend backend, int t, int n) {
        int[] live = new int[t * n];
        for (int i = 0; i < live.length; i++) {
            int step = i / n;
            boolean on = switch (i % n) {
                case 0 -> true;
                case 1 -> step < 2;
                case 2 -> step > 1;
                case 3 -> step % 2 == 1;
                default -> false;
            };
            live[i] = on ? 1 : 0;
        }
        IntTensor mask = backend.allocateInts(Shape.of(t, n));
        mask.set(live);
        return mask;
    }

    /** Floats, so that every backend has the same. */
    static double[] numbers(Random random, Shape shape) {
        double[] values = new double[Math.toIntExact(shape.size())];
        for (int i = 0; i < values.length; i++) values[i] = 2 * random.nextFloat() - 1;
        return values;
    }

    static Tensor uniform(Backend backend, Random random, int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        tensor.set(numbers(random, tensor.shape()));
        return tensor;
    }
}
