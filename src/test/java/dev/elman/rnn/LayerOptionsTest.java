package dev.elman.rnn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.Tensor;
import dev.elman.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What each switch of the layer means, and that every gradient is the slope of what the layer computes, in double. */
class LayerOptionsTest {
    private static final int T = 5;
    private static final int N = 4;
    private static final int D = 3;
    private static final int H = 4;

    private final Backend backend = new ReferenceBackend();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void nothingLeft() throws Exception {
        for (AutoCloseable each : opened) each.close();
        assertEquals(0, backend.liveTensors());
        backend.close();
    }

    static Stream<SimpleRnnConfig> configs() {
        SimpleRnnConfig plain = SimpleRnnConfig.of(D, H);
        SimpleRnnConfig both = plain.withBidirectional(true);
        SimpleRnnConfig dropped = both.withLayers(2)
                .withRecurrentBias(true)
                .withInputDropout(.3)
                .withRecurrentDropout(.3)
                .withLayerDropout(.3);
        Stream<SimpleRnnConfig> outputs = Stream.of(Output.values())
                .flatMap(output -> Stream.of(plain.withOutput(output), both.withOutput(output)));
        Stream<SimpleRnnConfig> others = Stream.of(
                plain.withLayers(3).withRecurrentBias(true),
                plain.withLayers(2).withGoBackwards(true),
                plain.withZeroOutputForMask(true).withActivation(Activation.LINEAR),
                plain.withLayers(2).withLayerDropout(.4).withOutput(Output.LAST),
                both.withMerge(Merge.SUM),
                both.withMerge(Merge.MUL),
                both.withMerge(Merge.AVE),
                both.withMerge(Merge.MUL).withOutput(Output.MEAN),
                both.withMerge(Merge.MUL).withOutput(Output.LAST),
                dropped,
                dropped.withMerge(Merge.MUL).withOutput(Output.MAX));
        return Stream.concat(outputs, others);
    }

    @ParameterizedTest
    @MethodSource("configs")
    void gradientsAreTheSlopes(SimpleRnnConfig config) {
        SimpleRnn rnn = keep(SimpleRnn.create(backend, config, Initializers.torchDefaults(), 1));
        Tensor x = random(2, T, N, D);
        IntTensor mask = mask(T, T, 3, 0, 1);
        Tensor start = random(3, N, config.stateSize());
        Training training = new Training(9, 2);
        Tensor y = rnn.forward(x, mask, start, training);
        Tensor dy = random(4, extents(y.shape()));
        Tensor dState = random(5, N, config.stateSize());
        Supplier<Tensor> forward = () -> rnn.forward(x, mask, start, training);
        DoubleSupplier slope = () -> dot(forward.get(), dy) + dot(rnn.state(), dState);
        assertSlopes(slope, "x", x, rnn.backward(dy, dState, true).toDoubles());
        for (int i = 0; i < config.stateSize() / H; i++) {
            assertSlopes(slope, "wx", rnn.weights(i).wx(), rnn.gradients(i).wx().toDoubles());
            assertSlopes(slope, "wh", rnn.weights(i).wh(), rnn.gradients(i).wh().toDoubles());
            assertSlopes(slope, "b", rnn.weights(i).b(), rnn.gradients(i).b().toDoubles());
            if (config.recurrentBias()) {
                double[] gradient = rnn.recurrentBiasGradient(i).toDoubles();
                assertSlopes(slope, "bh", rnn.recurrentBias(i), gradient);
            }
        }
        double[] starts = new double[N * config.stateSize()];
        for (int i = 0; i < starts.length; i++) {
            int column = i % config.stateSize();
            starts[i] = rnn.initialStateGradient(column / H).toDoubles()[i / config.stateSize() * H + column % H];
        }
        assertSlopes(slope, "h0", start, starts);
    }

    @Test
    void idsOfAnEmbeddingHaveTwoAxes() {
        try (Parameters weights = Parameters.allocate(backend, Embedding.specs("e", 7, D));
                Embedding embedding = new Embedding(backend, "e", weights, null);
                IntTensor ids = backend.allocateInts(Shape.of(T))) {
            ShapeMismatchException e = assertThrows(ShapeMismatchException.class, () -> embedding.forward(ids));
            assertEquals("Embedding.forward: ids must be [T,N], but is [" + T + "].", e.getMessage());
        }
    }

    @Test
    void aDenseLayerTakesAnyRank() {
        try (Parameters weights = Parameters.allocate(backend, Dense.specs("d", D, 2));
                Parameters gradients = Parameters.allocate(backend, Dense.specs("d", D, 2));
                Dense dense = new Dense(backend, "d", weights, gradients)) {
            for (Shape shape : List.of(Shape.of(D), Shape.of(N, D), Shape.of(T, N, D), Shape.of(2, T, N, D))) {
                Tensor y = dense.forward(random(1, extents(shape)));
                assertEquals(shape.withLast(2), y.shape());
                assertEquals(shape, dense.backward(y).shape());
            }
        }
    }

    @Test
    void noLayerGoesBackWithoutAWayForwardAndGradients() {
        String nothing = ".backward: there is nothing to go back through. Call forward first.";
        String without = ".backward: this layer was made without gradients. Make it with them to train it.";
        List<Parameters.Spec> specs = new ArrayList<>(Dense.specs("d", D, 2));
        specs.addAll(Embedding.specs("e", 7, D));
        try (Parameters weights = Parameters.allocate(backend, specs);
                Parameters gradients = Parameters.allocate(backend, specs);
                Dense dense = new Dense(backend, "d", weights, gradients);
                Dense fixed = new Dense(backend, "d", weights, null);
                Embedding embedding = new Embedding(backend, "e", weights, gradients);
                Embedding frozen = new Embedding(backend, "e", weights, null);
                DropoutLayer dropout = new DropoutLayer(backend, 0.5);
                IntTensor ids = backend.allocateInts(Shape.of(T, N))) {
            Tensor dy = fixed.forward(frozen.forward(ids));
            assertState("Dense" + nothing, () -> dense.backward(dy));
            assertState("Dense" + without, () -> fixed.backward(dy));
            assertState("Embedding" + nothing, () -> embedding.backward(dy));
            assertState("Embedding" + without, () -> frozen.backward(dy));
            assertState("DropoutLayer" + nothing, () -> dropout.backward(dy));
        }
    }

    private static void assertState(String message, Executable action) {
        assertEquals(message, assertThrows(IllegalStateException.class, action).getMessage());
    }

    @Test
    void gradientsAreAddedUntilTheyAreCleared() {
        SimpleRnnConfig config =
                SimpleRnnConfig.of(D, H).withLayers(2).withBidirectional(true).withRecurrentBias(true);
        SimpleRnn rnn = keep(SimpleRnn.create(backend, config, 1));
        Tensor gradients = rnn.gradients().flat();
        Tensor x = random(2, T, N, D);
        Tensor dy = random(4, T, N, config.outputSize());
        rnn.forward(x, null);
        rnn.backward(dy);
        double[] twice = Arrays.stream(gradients.toDoubles()).map(g -> 2 * g).toArray();
        rnn.forward(x, null);
        rnn.backward(dy);
        assertArrayEquals(twice, gradients.toDoubles(), 1e-12);
        rnn.clearGradients();
        assertArrayEquals(new double[twice.length], gradients.toDoubles());
    }

    /** What {@code gradients()} gives is cleared, and so a loop that clears it and steps along it never adds up batches. */
    @Test
    void clearedAreTheGradientsOfAllLayersInOneMemory() {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H);
        List<Parameters.Spec> specs = new ArrayList<>(SimpleRnn.specs("rnn", config));
        specs.addAll(Dense.specs("dense", H, 2));
        List<Parameters> pair = Parameters.allocatePair(backend, specs);
        pair.forEach(this::keep);
        SimpleRnn rnn = keep(new SimpleRnn(backend, config, "rnn", pair.get(0), pair.get(1)));
        Dense dense = keep(new Dense(backend, "dense", pair.get(0), pair.get(1)));
        rnn.initialize(Initializers.kerasDefaults(), new Random(1));
        dense.forward(rnn.forward(random(2, T, N, D), null));
        rnn.backward(dense.backward(random(4, T, N, 2)));
        rnn.clearGradients();
        double[] gradients = rnn.gradients().flat().toDoubles();
        assertArrayEquals(new double[gradients.length], gradients);
    }

    private static double dot(Tensor a, Tensor b) {
        double[] left = a.toDoubles();
        double[] right = b.toDoubles();
        double sum = 0;
        for (int i = 0; i < left.length; i++) sum += left[i] * right[i];
        return sum;
    }

    private static void assertSlopes(DoubleSupplier objective, String name, Tensor of, double[] gradient) {
        double step = 1e-5;
        double[] values = of.toDoubles();
        for (int i = 0; i < values.length; i++) {
            double[] sides = new double[2];
            for (int side = 0; side < 2; side++) {
                double[] moved = values.clone();
                moved[i] += side == 0 ? -step : step;
                of.set(moved);
                sides[side] = objective.getAsDouble();
            }
            assertEquals((sides[1] - sides[0]) / (2 * step), gradient[i], 1e-7, name + ", element " + i);
        }
        of.set(values);
    }

    /** Keras: go_backwards is the plain layer on the sequence and the mask turned round. */
    @Test
    void goingBackwardsIsReadingWhatIsTurnedRound() {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H);
        Tensor x = random(2, T, N, D);
        IntTensor mask = mask(T, T, 3, 0, 1);
        Tensor turned = keep(backend.allocate(x.shape()));
        int[] live = mask.toInts();
        int[] turnedLive = new int[live.length];
        for (int t = 0; t < T; t++) {
            backend.copy(x.slice(t, 1), turned.slice(T - 1 - t, 1));
            System.arraycopy(live, t * N, turnedLive, (T - 1 - t) * N, N);
        }
        IntTensor turnedMask = keep(backend.allocateInts(Shape.of(T, N)));
        turnedMask.set(turnedLive);
        for (Output output : Output.values()) {
            SimpleRnn forward = keep(SimpleRnn.create(backend, config.withOutput(output), 1));
            SimpleRnn backward =
                    keep(SimpleRnn.create(backend, config.withOutput(output).withGoBackwards(true), 1));
            double[] expected = forward.forward(turned, turnedMask).toDoubles();
            assertArrayEquals(expected, backward.forward(x, mask).toDoubles(), 1e-15, output.toString());
            assertArrayEquals(forward.state().toDoubles(), backward.state().toDoubles());
        }
    }

    /** Batches of as many steps in all are turned round by their own T and N. */
    @Test
    void goingBackwardsFollowsTheShapeOfEachBatch() {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H).withGoBackwards(true);
        SimpleRnn rnn = keep(SimpleRnn.create(backend, config, 1));
        for (int t = 4; t >= 3; t--) {
            Tensor x = random(2, t, 7 - t, D);
            SimpleRnn fresh = keep(SimpleRnn.create(backend, config, 1));
            assertArrayEquals(
                    fresh.forward(x, null).toDoubles(), rnn.forward(x, null).toDoubles());
        }
    }

    @Test
    void maskedStepsAreZeroWhereThatIsAskedFor() {
        SimpleRnn rnn = keep(SimpleRnn.create(backend, SimpleRnnConfig.of(D, H).withZeroOutputForMask(true), 1));
        float[][][] y = Sequences.batchMajor(rnn.forward(random(2, T, N, D), mask(T, T, 3, 0, 1)));
        int[] lengths = {T, 3, 0, 1};
        for (int n = 0; n < N; n++) {
            for (int t = 0; t < T; t++) {
                assertEquals(t >= lengths[n], Arrays.equals(new float[H], y[n][t]), "row " + n + ", step " + t);
            }
        }
    }

    /** Linear with Wx = 1 and Wh = 0 shows what is left of x. */
    @Test
    void inputDropoutDropsChannelsOfARowAtEveryStep() {
        SimpleRnnConfig config = SimpleRnnConfig.of(64, 64)
                .withActivation(Activation.LINEAR)
                .withBidirectional(true)
                .withInputDropout(.25);
        SimpleRnn rnn = keep(SimpleRnn.create(
                backend, config, new Initializers(identity(), Initializer.zeros(), Initializer.zeros()), 1));
        Tensor x = keep(backend.allocate(Shape.of(T, N, 64)));
        backend.fill(x, 3);
        float[][][] y = Sequences.batchMajor(rnn.forward(x, null, null, new Training(5, 0)));
        int dropped = 0;
        Set<String> patterns = new HashSet<>();
        for (float[][] row : y) {
            for (float[] step : row) assertArrayEquals(row[0], step, "the same channels at every step");
            for (float value : row[0]) {
                assertTrue(value == 0 || value == 4, "3 / (1 - 0.25) or nothing, but " + value);
                dropped += value == 0 ? 1 : 0;
            }
            patterns.add(Arrays.toString(Arrays.copyOf(row[0], 64)));
            patterns.add(Arrays.toString(Arrays.copyOfRange(row[0], 64, 128)));
        }
        assertEquals(2 * N, patterns.size(), "each row and each direction its own");
        assertTrue(Math.abs(dropped / 512.0 - .25) < .12, dropped + " of 512 dropped");
        for (float value : rnn.forward(x, null).toFloats()) assertEquals(3, value, "nothing is dropped in predicting");
    }

    /** The same with two layers: of 3 nothing or 4 is left, not 16 / 3 as after a second time. */
    @Test
    void onlyTheInputOfTheLowestLayerIsDropped() {
        SimpleRnnConfig config = SimpleRnnConfig.of(16, 16)
                .withActivation(Activation.LINEAR)
                .withLayers(2)
                .withInputDropout(.25);
        SimpleRnn rnn = keep(SimpleRnn.create(
                backend, config, new Initializers(identity(), Initializer.zeros(), Initializer.zeros()), 1));
        Tensor x = keep(backend.allocate(Shape.of(T, N, 16)));
        backend.fill(x, 3);
        for (float value : rnn.forward(x, null, null, new Training(5, 0)).toFloats()) {
            assertTrue(value == 0 || value == 4, "" + value);
        }
    }

    /** Linear with Wx = 0 and Wh = 1: each step multiplies the state by the same factors. */
    @Test
    void recurrentDropoutMultipliesTheStateBeforeWhAtEveryStep() {
        SimpleRnnConfig config =
                SimpleRnnConfig.of(D, 32).withActivation(Activation.LINEAR).withRecurrentDropout(.5);
        SimpleRnn rnn = keep(SimpleRnn.create(
                backend, config, new Initializers(Initializer.zeros(), identity(), Initializer.zeros()), 1));
        Tensor start = keep(backend.allocate(Shape.of(N, 32)));
        backend.fill(start, 1);
        float[][][] y = Sequences.batchMajor(rnn.forward(random(2, 3, N, D), null, start, new Training(5, 0)));
        boolean any = false;
        for (float[][] row : y) {
            for (int j = 0; j < 32; j++) {
                boolean kept = row[0][j] != 0;
                any |= !kept;
                for (int t = 0; t < 3; t++) assertEquals(kept ? 2 << t : 0, row[t][j]);
            }
        }
        assertTrue(any, "something was dropped");
    }

    /** torch: between layers, not after the last, each step its own. */
    @Test
    void layerDropoutLiesBetweenLayersOnly() {
        SimpleRnnConfig config = SimpleRnnConfig.of(16, 16)
                .withActivation(Activation.LINEAR)
                .withLayers(2)
                .withLayerDropout(.5);
        SimpleRnn rnn = keep(SimpleRnn.create(
                backend, config, new Initializers(identity(), Initializer.zeros(), (r, c, random) -> ones(c)), 1));
        Tensor x = keep(backend.allocate(Shape.of(T, N, 16)));
        float[][][] y = Sequences.batchMajor(rnn.forward(x, null, null, new Training(5, 0)));
        Set<String> patterns = new HashSet<>();
        for (float[][] row : y) {
            for (float[] step : row) {
                for (float value : step) assertTrue(value == 1 || value == 3, "2 * 1 or 0, plus 1, but " + value);
                patterns.add(Arrays.toString(step));
            }
        }
        assertEquals(T * N, patterns.size(), "each step and row its own");
    }

    private static Initializer identity() {
        return (rows, columns, random) -> {
            double[] values = new double[rows * columns];
            for (int i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
            return values;
        };
    }

    private static double[] ones(int count) {
        double[] ones = new double[count];
        Arrays.fill(ones, 1);
        return ones;
    }

    /** Workers that hold some rows each drop what one would that holds them all. */
    @Test
    void rowsAreCountedInTheWholeBatch() {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H)
                .withLayers(2)
                .withBidirectional(true)
                .withInputDropout(.4)
                .withRecurrentDropout(.4)
                .withLayerDropout(.4);
        SimpleRnn rnn = keep(SimpleRnn.create(backend, config, 1));
        Tensor x = random(2, T, N, D);
        double[] whole = rnn.forward(x, null, null, new Training(5, 0)).toDoubles();
        Tensor second = keep(backend.allocate(Shape.of(T, N - 1, D)));
        for (int t = 0; t < T; t++)
            backend.copy(x.view(((long) t * N + 1) * D, Shape.of(N - 1, D)), second.slice(t, 1));
        double[] part = rnn.forward(second, null, null, new Training(5, 1)).toDoubles();
        int c = config.outputSize();
        for (int t = 0; t < T; t++) {
            assertArrayEquals(
                    Arrays.copyOfRange(whole, (t * N + 1) * c, (t + 1) * N * c),
                    Arrays.copyOfRange(part, t * (N - 1) * c, (t + 1) * (N - 1) * c));
        }
        double[] others = rnn.forward(x, null, null, new Training(6, 0)).toDoubles();
        assertFalse(Arrays.equals(whole, others), "another seed drops others");
    }

    @Test
    void aStackCarriesTheStatesOfAllItsLayers() {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H).withLayers(3);
        SimpleRnn whole = keep(SimpleRnn.create(backend, config, 1));
        SimpleRnn steps = keep(SimpleRnn.create(backend, config.withStateful(true), 1));
        Tensor x = random(2, T, N, D);
        double[] expected = whole.forward(x, null).toDoubles();
        double[] state = whole.state().toDoubles();
        for (int t = 0; t < T; t++) {
            double[] y = steps.forward(x.slice(t, 1), null).toDoubles();
            assertArrayEquals(Arrays.copyOfRange(expected, t * N * H, (t + 1) * N * H), y, "step " + t);
        }
        assertArrayEquals(state, steps.state().toDoubles());
        steps.resetState(1);
        assertArrayEquals(new double[3 * H], steps.state().slice(1, 1).toDoubles(), "row 1 of every layer");
        assertArrayEquals(Arrays.copyOf(state, 3 * H), steps.state().slice(0, 1).toDoubles(), "row 0 goes on");
        noRow("resetState: row must be at least 0 and below N = 4, but is 4.", () -> steps.resetState(0, N));
        noRow(
                "setState: row must be at least 0 and below N = 4, but is -1.",
                () -> steps.setState(-1, new float[3 * H]));
        assertArrayEquals(Arrays.copyOf(state, 3 * H), steps.state().slice(0, 1).toDoubles(), "nothing was reset");
    }

    private static void noRow(String message, Executable action) {
        assertEquals(
                message, assertThrows(IndexOutOfBoundsException.class, action).getMessage());
    }

    @Test
    void aCallIsResumedInItsMiddle() {
        SimpleRnn rnn = keep(
                SimpleRnn.create(backend, SimpleRnnConfig.of(D, H).withLayers(2).withStateful(true), 1));
        Tensor x = random(2, T, N, D);
        assertThrows(IllegalStateException.class, () -> rnn.resumeAfter(0));
        double[] whole = rnn.forward(x, null).toDoubles();
        for (int from : new int[] {2, 1, 0}) {
            rnn.resumeAfter(from);
            int again = from;
            double[] rest = rnn.forward(x.slice(again, T - again), null).toDoubles();
            assertArrayEquals(Arrays.copyOfRange(whole, again * N * H, T * N * H), rest, "from " + from);
            rnn.resetState();
            rnn.forward(x, null);
        }
        IndexOutOfBoundsException e = assertThrows(IndexOutOfBoundsException.class, () -> rnn.resumeAfter(T + 1));
        assertTrue(e.getMessage().contains("T = 5"), e.getMessage());
    }

    @Test
    void presetsDrawWhatTheirNamesakesDraw() {
        SimpleRnnConfig config = SimpleRnnConfig.of(100, 25).withRecurrentBias(true);
        SimpleRnn torch = keep(SimpleRnn.create(backend, config, Initializers.torchDefaults(), 1));
        for (Tensor tensor : List.of(
                torch.weights(0).wx(), torch.weights(0).wh(), torch.weights(0).b(), torch.recurrentBias(0))) {
            double largest =
                    Arrays.stream(tensor.toDoubles()).map(Math::abs).max().orElseThrow();
            assertTrue(largest <= .2 && largest > .15, "uniform within 1 / sqrt(25): " + largest);
        }
        SimpleRnn keras = keep(SimpleRnn.create(backend, config, 1));
        double largest = Arrays.stream(keras.weights(0).wx().toDoubles())
                .map(Math::abs)
                .max()
                .orElseThrow();
        assertEquals(Math.sqrt(6.0 / 125), largest, 1e-3, "Glorot");
        double[] wh = keras.weights(0).wh().toDoubles();
        double squares = 0;
        for (int j = 0; j < 25; j++) squares += wh[j] * wh[j];
        assertEquals(1, squares, 1e-12, "orthogonal");
        assertArrayEquals(new double[25], keras.weights(0).b().toDoubles());
    }

    @Test
    void whatDoesNotGoTogetherIsNamed() {
        SimpleRnnConfig plain = SimpleRnnConfig.of(D, H);
        refused("layers", () -> plain.withLayers(0));
        SimpleRnnConfig large = SimpleRnnConfig.of(1, 1 << 29).withLayers(3);
        refused("fewer than 2^31 states", () -> large.withBidirectional(true));
        refused("recurrentBias", () -> plain.withBias(false).withRecurrentBias(true));
        refused("goBackwards", () -> plain.withBidirectional(true).withGoBackwards(true));
        refused("layerDropout", () -> plain.withLayerDropout(.1));
        refused("inputDropout must be at least 0 and below 1, but is 1.0", () -> plain.withInputDropout(1));
        refused("but is -0.1", () -> plain.withRecurrentDropout(-.1));
    }

    private static void refused(String part, Supplier<SimpleRnnConfig> config) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, config::get);
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }

    private <C extends AutoCloseable> C keep(C resource) {
        opened.add(resource);
        return resource;
    }

    private Tensor random(long seed, int... extents) {
        Tensor tensor = keep(backend.allocate(Shape.of(extents)));
        tensor.set(new Random(seed).doubles(tensor.shape().size(), -1, 1).toArray());
        return tensor;
    }

    private static int[] extents(Shape shape) {
        int[] extents = new int[shape.rank()];
        for (int i = 0; i < extents.length; i++) extents[i] = shape.extent(i);
        return extents;
    }

    private IntTensor mask(int steps, int... lengths) {
        IntTensor mask = keep(backend.allocateInts(Shape.of(steps, lengths.length)));
        mask.set(Sequences.liveSteps(lengths, steps));
        return mask;
    }
}
