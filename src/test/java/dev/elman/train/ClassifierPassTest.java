package dev.elman.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.OnReference;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One batch there and back: what dropout leaves, its gradients, and that pieces add up. */
class ClassifierPassTest extends OnReference {
    private final ToyData data = new ToyData(200, 1);

    /** Linear with Wx = 1, Wh = 0 and a dense layer of 1 shows what is left of ones. */
    @Test
    void inputAndOutputOfAStepDropOtherChannels() {
        double[] identity = new double[64 * 64];
        for (int i = 0; i < 64; i++) identity[65 * i] = 1;
        float[][][] x = new float[1][1][64];
        Arrays.fill(x[0][0], 1);
        ClassifierConfig config = ClassifierConfig.features(64, 64)
                .hiddenSize(64)
                .activation(Activation.LINEAR)
                .inputDropout(.5)
                .dropout(.5)
                .build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config);
                Minibatch batch = new Minibatch(backend, 64)) {
            backend.fill(model.weights().flat(), 0);
            model.weights().get("rnn.forward.wx").set(identity);
            model.weights().get("dense.w").set(identity);
            batch.load(SequenceInput.features(x), new int[] {0}, null);
            double[] left = model.network().forward(batch, 1, 0).toDoubles();
            long kept = Arrays.stream(left).filter(value -> value == 4).count();
            assertTrue(kept > 8 && kept < 24, "a quarter of 64, but " + kept);
        }
    }

    /** A long row at either end, or amid the others. */
    @ParameterizedTest
    @ValueSource(ints = {0, 5, 11})
    void aBatchWithOneLongRowIsLearnedInPieces(int place) {
        int[][] ids = new int[12][];
        int[] labels = new int[12];
        for (int n = 0; n < 12; n++) {
            ids[n] = new int[n == place ? 2000 : 1 + n % 4];
            Arrays.fill(ids[n], 1 + n % 5);
            labels[n] = n % 3;
        }
        SequenceInput input = SequenceInput.tokens(ids);
        int[] all = Batches.range(12);
        List<int[]> pieces = Batches.pieces(input::length, all);
        assertArrayEquals(all, pieces.stream().flatMapToInt(Arrays::stream).toArray());
        assertTrue(pieces.size() > 1 && pieces.size() <= 3, "" + pieces.size());
        TrainingData rows = TrainingData.of(input, labels);
        ClassifierConfig config =
                ToyData.config().inputDropout(0.3).dropout(0.2).build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config);
                ClassifierPass pass = new ClassifierPass(model);
                Tensor metrics = backend.allocate(Shape.of(2))) {
            Tensor gradients = model.network().gradients().flat();
            pass.learn(rows, all, 0, 12, 7, metrics);
            double[] atOnce = gradients.toDoubles();
            float loss = metrics.toFloats()[0];
            float hits = metrics.toFloats()[1];
            backend.fill(gradients, 0);
            for (int n = 0; n < 12; n++) {
                pass.learn(rows, new int[] {n}, n, 12, 7, metrics);
                loss -= metrics.toFloats()[0];
                hits -= metrics.toFloats()[1];
            }
            assertArrayEquals(gradients.toDoubles(), atOnce, 1e-12);
            assertEquals(0, loss, 1e-5);
            assertEquals(0, hits);
        }
    }

    /** Differences of the loss, with the same elements dropped. */
    @Test
    void gradientsAreOfWhatDropoutLeft() {
        double step = 1e-5;
        ClassifierConfig config = ToyData.config()
                .embeddingSize(3)
                .hiddenSize(4)
                .inputDropout(.4)
                .dropout(.4)
                .build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config);
                Minibatch batch = new Minibatch(backend, 0)) {
            batch.load(SequenceInput.tokens(data.ids), Batches.range(8), data.labels);
            Tensor flat = model.weights().flat();
            double[] weights = flat.toDoubles();
            Tensor gradients = model.network().gradients().flat();
            backend.fill(gradients, 0);
            lossOf(model, batch, true);
            double[] found = gradients.toDoubles();
            for (int i = 0; i < weights.length; i++) {
                double[] moved = weights.clone();
                moved[i] += step;
                flat.set(moved);
                double above = lossOf(model, batch, false);
                moved[i] -= 2 * step;
                flat.set(moved);
                assertEquals((above - lossOf(model, batch, false)) / (2 * step), found[i], 1e-6, "weight " + i);
            }
        }
    }

    private double lossOf(SimpleRnnClassifier model, Minibatch batch, boolean backward) {
        try (Tensor metrics = backend.allocate(Shape.of(2))) {
            Tensor logits = model.network().forward(batch, 1, 0);
            backend.softmaxCrossEntropy(logits, batch.labels(), 0, 1, metrics, logits);
            if (backward) model.network().backward(logits);
            return metrics.toDoubles()[0];
        }
    }
}
