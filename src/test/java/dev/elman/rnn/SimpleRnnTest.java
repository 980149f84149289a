package dev.elman.rnn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.Tensor;
import dev.elman.contract.OnReference;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SimpleRnnTest extends OnReference {
    private static final int N = 3;
    private static final int T = 4;
    private static final int D = 2;
    private static final int H = 5;

    @Test
    void aLayerWithoutGradientsPredictsAndSaysSo() {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H);
        try (Parameters weights = Parameters.allocate(backend, SimpleRnn.specs("rnn", config));
                SimpleRnn rnn = new SimpleRnn(backend, config, "rnn", weights, null);
                Tensor x = backend.allocate(Shape.of(T, N, D))) {
            Tensor y = rnn.forward(x, null);
            for (Executable training : List.<Executable>of(() -> rnn.backward(y), rnn::clearGradients)) {
                IllegalStateException e = assertThrows(IllegalStateException.class, training);
                assertTrue(e.getMessage().contains("made without gradients"), e.getMessage());
            }
            IndexOutOfBoundsException e = assertThrows(IndexOutOfBoundsException.class, () -> rnn.weights(5));
            assertEquals(
                    "weights: the directions of this layer are numbered from 0 to 0, but 5 was asked for.",
                    e.getMessage());
        }
    }

    @Test
    void kerasRulesOfMaskedSteps() {
        // One row each: right padding, left padding, a hole, nothing live.
        boolean[][] live = {
            {true, true, false, false},
            {false, false, true, true},
            {true, false, true, false},
            {false, false, false, false}
        };
        float[][][] x = new float[4][T][D];
        Random random = new Random(1);
        for (float[][] row : x) for (float[] step : row) for (int d = 0; d < D; d++) step[d] = random.nextFloat();
        Sequences batch = Sequences.of(x).withMask(live);
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(D, H), 1);
                SimpleRnn last =
                        SimpleRnn.create(backend, SimpleRnnConfig.of(D, H).withOutput(Output.LAST), 1);
                Tensor input = batch.upload(backend);
                IntTensor mask = batch.uploadMask(backend);
                Tensor start = random(Shape.of(4, H), 9)) {
            float[][][] y = Sequences.batchMajor(rnn.forward(input, mask, start));
            float[][] state = Sequences.rows(rnn.state());
            float[] zeros = new float[H];
            assertArrayEquals(y[0][1], y[0][2], "a masked step repeats the last output");
            assertArrayEquals(y[0][1], y[0][3]);
            assertArrayEquals(zeros, y[1][0], "before the first live step the output is 0, not the initial state");
            assertArrayEquals(zeros, y[1][1]);
            assertArrayEquals(y[2][0], y[2][1]);
            assertArrayEquals(zeros, y[3][3], "an empty row gives 0");
            assertArrayEquals(Sequences.rows(start)[3], state[3], "and keeps its initial state");
            float[][] lasts = Sequences.rows(last.forward(input, mask, start));
            assertArrayEquals(y[0][3], lasts[0]);
            assertArrayEquals(zeros, lasts[3]);
        }
    }

    @Test
    void twoDirectionsMeetAtTheirOwnEnds() {
        SimpleRnnConfig both = SimpleRnnConfig.of(D, H).withBidirectional(true);
        try (SimpleRnn sequence = SimpleRnn.create(backend, both, 1);
                SimpleRnn last = SimpleRnn.create(backend, both.withOutput(Output.LAST), 1);
                Tensor x = random(Shape.of(T, N, D), 2);
                IntTensor mask = mask(T, N, 4, 2, 1)) {
            float[][][] y = Sequences.batchMajor(sequence.forward(x, mask));
            float[][] ends = Sequences.rows(last.forward(x, mask));
            int[] lengths = {4, 2, 1};
            for (int n = 0; n < N; n++) {
                assertArrayEquals(Arrays.copyOf(y[n][lengths[n] - 1], H), Arrays.copyOf(ends[n], H));
                assertArrayEquals(
                        Arrays.copyOfRange(y[n][0], H, 2 * H),
                        Arrays.copyOfRange(ends[n], H, 2 * H),
                        "reverse ends at 0");
                for (int t = lengths[n]; t < T; t++) assertArrayEquals(new float[2 * H], y[n][t], "masked: 0");
            }
        }
    }

    @Test
    void singleRowsOfTheStateAreSetAndReset() {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H).withStateful(true);
        try (SimpleRnn rnn = SimpleRnn.create(backend, config, 1);
                Tensor x = random(Shape.of(1, N, D), 2)) {
            float[][] fresh = Sequences.batchMajor(rnn.forward(x, null))[1];
            rnn.resetState(1);
            rnn.setState(2, new float[H]);
            float[][][] second = Sequences.batchMajor(rnn.forward(x, null));
            assertArrayEquals(fresh, second[1], "row 1 began with zeros again");
            assertTrue(Math.abs(second[0][0][0] - Sequences.rows(rnn.state())[0][0]) < 1e-6);
            float[] carried = second[0][0];
            rnn.resetState();
            assertTrue(
                    !Arrays.equals(carried, Sequences.batchMajor(rnn.forward(x, null))[0][0]), "row 0 had carried on");
        }
    }

    @Test
    void anotherBatchSizeIsRefusedWithBothNumbers() {
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(D, H).withStateful(true), 1);
                Tensor three = random(Shape.of(T, 3, D), 2);
                Tensor two = random(Shape.of(T, 2, D), 2)) {
            rnn.forward(three, null);
            IllegalStateException e = assertThrows(IllegalStateException.class, () -> rnn.forward(two, null));
            assertTrue(e.getMessage().contains("N = 3") && e.getMessage().contains("N = 2"), e.getMessage());
            assertTrue(e.getMessage().contains("resetState()"), e.getMessage());
            rnn.resetState();
            rnn.forward(two, null);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {D + 1, D - 1})
    void wrongFeaturesAreNamed(int d) {
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(D, H), 1);
                Tensor x = backend.allocate(Shape.of(T, N, d))) {
            ShapeMismatchException e = assertThrows(ShapeMismatchException.class, () -> rnn.forward(x, null));
            assertTrue(e.getMessage().contains("D = 2") && e.getMessage().contains("[4,3," + d + "]"), e.getMessage());
        }
    }

    @Test
    void backwardNamesWhatIsWrong() {
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(D, H), 1);
                Tensor x = backend.allocate(Shape.of(T, N, D));
                Tensor dy = backend.allocate(Shape.of(T, N, H));
                Tensor other = backend.allocate(Shape.of(N, T, H))) {
            IllegalStateException early = assertThrows(IllegalStateException.class, () -> rnn.backward(dy));
            assertTrue(early.getMessage().contains("Call forward first"), early.getMessage());
            rnn.forward(x, null);
            early = assertThrows(IllegalStateException.class, () -> rnn.initialStateGradient(0));
            assertTrue(early.getMessage().contains("Call backward first"), early.getMessage());
            ShapeMismatchException e = assertThrows(ShapeMismatchException.class, () -> rnn.backward(other));
            assertEquals(
                    "SimpleRnn.backward: dy must be [T,N,C] = [4,3,5], but is [3,4,5].",
                    e.getMessage(),
                    "of the same size, so nothing else would notice");
            rnn.backward(dy);
        }
    }

    /** As the gradient of half the sum of squares is. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theGradientMayBeTheOutputItself(boolean goBackwards) {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H).withGoBackwards(goBackwards);
        try (SimpleRnn rnn = SimpleRnn.create(backend, config, 1);
                Tensor x = random(Shape.of(T, N, D), 2);
                Tensor dy = backend.allocate(Shape.of(T, N, H))) {
            backend.copy(rnn.forward(x, null), dy);
            double[] expected = rnn.backward(dy).toDoubles();
            assertArrayEquals(expected, rnn.backward(rnn.forward(x, null)).toDoubles());
        }
    }

    @Test
    void statesNeedAStatefulLayer() {
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(D, H), 1);
                Tensor state = backend.allocate(Shape.of(N, H))) {
            for (Executable call : List.<Executable>of(() -> rnn.setState(state), () -> rnn.resetState(0))) {
                IllegalStateException e = assertThrows(IllegalStateException.class, call);
                assertTrue(e.getMessage().contains("not stateful"), e.getMessage());
            }
        }
    }

    @Test
    void givenStateWinsOverTheStoredOne() {
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(D, H).withStateful(true), 1);
                Tensor x = random(Shape.of(T, N, D), 2);
                Tensor zeros = backend.allocate(Shape.of(N, H))) {
            double[] first = rnn.forward(x, null).toDoubles();
            assertArrayEquals(first, rnn.forward(x, null, zeros).toDoubles());
        }
    }

    private Tensor random(Shape shape, long seed) {
        Random random = new Random(seed);
        Tensor tensor = backend.allocate(shape);
        tensor.set(random.doubles(shape.size(), -1, 1).toArray());
        return tensor;
    }

    private IntTensor mask(int steps, int rows, int... lengths) {
        IntTensor mask = backend.allocateInts(Shape.of(steps, rows));
        mask.set(Sequences.liveSteps(lengths, steps));
        return mask;
    }

    /** From zeros the states are the output as they stand; given zeros are states like any other, and are copied. */
    @ParameterizedTest
    @CsvSource({"false, false", "true, false", "false, true"})
    void aMaskedSequenceFromZerosIsNotCopied(boolean reverse, boolean zero) {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H)
                .withOutput(Output.SEQUENCE)
                .withGoBackwards(reverse)
                .withZeroOutputForMask(zero);
        try (SimpleRnn plain = SimpleRnn.create(backend, config, 1);
                SimpleRnn copying = SimpleRnn.create(backend, config, 1);
                Tensor x = random(Shape.of(T, N, D), 2);
                IntTensor mask = backend.allocateInts(Shape.of(T, N));
                Tensor zeros = backend.allocate(Shape.of(N, H));
                Tensor dy = random(Shape.of(T, N, H), 3)) {
            // A row that begins late, one with a hole, one without a live step.
            mask.set(0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0);
            int before = backend.liveTensors();
            Tensor y = plain.forward(x, mask);
            int taken = backend.liveTensors() - before;
            Tensor expected = copying.forward(x, mask, zeros);
            assertEquals(zero ? 0 : 1, backend.liveTensors() - before - 2 * taken);
            assertArrayEquals(expected.toDoubles(), y.toDoubles());
            assertArrayEquals(
                    copying.backward(dy).toDoubles(), plain.backward(dy).toDoubles());
            assertArrayEquals(
                    copying.gradients(0).wh().toDoubles(),
                    plain.gradients(0).wh().toDoubles());
            assertArrayEquals(
                    copying.initialStateGradient(0).toDoubles(),
                    plain.initialStateGradient(0).toDoubles());
        }
    }

    @Test
    void whatLiesInMaskedStepsReachesNoGradient() {
        float[][][] values = {{{1, 2}, {Float.NaN, Float.NaN}}};
        Sequences padded = Sequences.of(values).withLengths(1);
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(2, H), 1);
                Tensor x = padded.requireFinite().upload(backend);
                IntTensor live = padded.uploadMask(backend);
                Tensor dy = random(Shape.of(2, 1, H), 3)) {
            rnn.forward(x, live);
            rnn.backward(dy);
            for (float g : rnn.gradients(0).wx().toFloats()) assertTrue(Float.isFinite(g), "dWx has " + g);
        }
    }

    @Test
    void aSequenceWithoutStepsIsRefused() {
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(D, H).withOutput(Output.LAST), 1);
                Tensor x = backend.allocate(Shape.of(0, N, D));
                IntTensor mask = backend.allocateInts(Shape.of(0, N))) {
            for (IntTensor live : new IntTensor[] {null, mask}) {
                ShapeMismatchException e = assertThrows(ShapeMismatchException.class, () -> rnn.forward(x, live));
                assertTrue(e.getMessage().contains("T >= 1"), e.getMessage());
            }
        }
    }

    @Test
    void aGradientOfAnotherShapeIsRefused() {
        for (Output output : Output.values()) {
            try (SimpleRnn rnn =
                            SimpleRnn.create(backend, SimpleRnnConfig.of(D, H).withOutput(output), 1);
                    Tensor x = random(Shape.of(T, N, D), 2);
                    Tensor batchMajor = backend.allocate(Shape.of(N, T, H));
                    Tensor turned = backend.allocate(Shape.of(H, N))) {
                Tensor wrong = output == Output.SEQUENCE ? batchMajor : turned;
                assertThrows(IllegalStateException.class, () -> rnn.backward(wrong), "before forward");
                rnn.forward(x, null);
                assertThrows(ShapeMismatchException.class, () -> rnn.backward(wrong), output.toString());
            }
        }
    }
}
