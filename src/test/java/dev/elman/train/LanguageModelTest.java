package dev.elman.train;

import static dev.elman.train.Callbacks.afterBatch;
import static dev.elman.train.Refusals.missing;
import static dev.elman.train.Refusals.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.Intercepted;
import dev.elman.contract.OnReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LanguageModelTest extends OnReference {
    /** 1 2 3 3 1 2 3 3 ...: what follows a 3 depends on the step before. */
    private static int[] pattern(int count) {
        int[] period = {1, 2, 3, 3};
        int[] tokens = new int[count];
        for (int t = 0; t < count; t++) tokens[t] = period[t % 4];
        return tokens;
    }

    private static LanguageModelConfig config(int window) {
        return LanguageModelConfig.of(4)
                .withSizes(6, 12)
                .withDropout(0)
                .withWindow(window)
                .withSeed(1);
    }

    private static Trainer trainer() {
        return Trainer.builder()
                .epochs(30)
                .batchSize(4)
                .optimizer(Optimizer.adam(0.02))
                .build();
    }

    @Test
    void learnsAPatternAndContinuesIt() {
        try (LanguageModel model = new LanguageModel(backend, config(8))) {
            model.fit(pattern(200), trainer());
            assertTrue(model.evaluate(pattern(100)).perplexity() < 1.1);
            int[] drawn = model.sample(new int[] {1, 2}, 6, new Sampling(1, 1, 0), -1);
            assertArrayEquals(new int[] {3, 3, 1, 2, 3, 3}, drawn);
            List<Integer> given = new ArrayList<>();
            model.sample(new int[] {1, 2}, 6, new Sampling(1, 1, 0), 1, given::add);
            assertEquals(List.of(3, 3), given, "each when it is drawn, and not what stops");
            assertEquals(0, model.sample(new int[] {1, 2}, 6, new Sampling(1, 1, 0), 3).length, "stopped at once");
            int most = Integer.MAX_VALUE;
            int[] stopped = model.sample(new int[] {1, 2}, most, new Sampling(1, 1, 0), 1);
            assertArrayEquals(new int[] {3, 3}, stopped, "memory for what is drawn, not for the most");
        }
    }

    @Test
    void theStateFlowsFromWindowToWindow() {
        // With windows of one step nothing but the carried state tells the two 3s apart.
        try (LanguageModel model = new LanguageModel(backend, config(1).withSeed(2))) {
            model.fit(pattern(200), trainer());
            assertTrue(model.evaluate(pattern(100)).accuracy() > 0.9);
            assertArrayEquals(new int[] {3, 1}, model.sample(new int[] {1, 2, 3}, 2, new Sampling(1, 1, 0), -1));
        }
    }

    /** Not as one window, whose logits alone are 4 numbers a token. */
    @Test
    void aPromptMayBeAsLongAsATextToTrainOn() {
        AtomicLong largest = new AtomicLong();
        Backend watched = Intercepted.allocating(backend, shape -> largest.accumulateAndGet(shape.size(), Math::max));
        int[][] drawn = new int[2][];
        int[] windows = {8, 1000};
        for (int i = 0; i < 2; i++) {
            try (LanguageModel model = new LanguageModel(i == 0 ? watched : backend, config(windows[i]))) {
                drawn[i] = model.sample(pattern(1001), 20, new Sampling(1, 0, 0), -1);
            }
        }
        assertTrue(largest.get() < 1000, "largest allocation " + largest);
        assertArrayEquals(drawn[1], drawn[0]);
    }

    @Test
    void streamsCoverTheTextOnce() {
        int[] tokens = new int[23];
        for (int t = 0; t < tokens.length; t++) tokens[t] = t;
        TokenStreams streams = new TokenStreams(tokens, 2, 4, 4);
        try (Minibatch batch = new Minibatch(backend, 0)) {
            assertEquals(3, streams.windows());
            assertEquals(8, streams.load(batch, 0));
            assertArrayEquals(
                    new int[] {0, 11, 1, 12, 2, 13, 3, 14}, batch.ids().toInts());
            assertArrayEquals(
                    new int[] {1, 12, 2, 13, 3, 14, 4, 15}, batch.labels().toInts());
            assertEquals(6, streams.load(batch, 2));
            assertArrayEquals(new int[] {8, 19, 9, 20, 10, 21}, batch.ids().toInts());
        }
    }

    @Test
    void aStackThatSharesItsTableLearnsThePattern() {
        LanguageModelConfig config = config(8)
                .withSizes(12, 12)
                .withLayers(2)
                .withTied(true)
                .withRecurrentDropout(.05)
                .withDropout(.05);
        try (LanguageModel model = new LanguageModel(backend, config)) {
            assertEquals(
                    Set.of(
                            "embedding.table",
                            "rnn.forward.wx",
                            "rnn.forward.wh",
                            "rnn.forward.b",
                            "rnn.l1.forward.wx",
                            "rnn.l1.forward.wh",
                            "rnn.l1.forward.b",
                            "dense.b"),
                    model.weights().views().keySet());
            model.fit(pattern(200), trainer());
            assertTrue(model.evaluate(pattern(100)).perplexity() < 1.1);
        }
        assertEquals(.05, config.rnn().layerDropout(), "between the layers, too");
        refused("D = 6 and H = 12", () -> config(8).withTied(true));
    }

    /** k1 = 4, k2 = 10: six steps come again, and their targets count no more. */
    @Test
    void windowsReachBack() {
        int[] tokens = new int[20];
        for (int t = 0; t < tokens.length; t++) tokens[t] = t;
        TokenStreams streams = new TokenStreams(tokens, 1, 4, 10);
        try (Minibatch batch = new Minibatch(backend, 0)) {
            assertEquals(5, streams.windows());
            assertEquals(4, streams.load(batch, 1));
            assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7}, batch.ids().toInts());
            assertArrayEquals(
                    new int[] {-1, -1, -1, -1, 5, 6, 7, 8}, batch.labels().toInts());
            assertEquals(4, streams.load(batch, 3));
            assertArrayEquals(
                    new int[] {6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, batch.ids().toInts());
            assertEquals(3, streams.load(batch, 4));
            assertEquals(9, streams.steps(4));
        }
        refused(
                "backSteps must be 0 or at least the window of 4",
                () -> config(1).withWindow(4, 3));
    }

    /** Weights held fixed, the second of two windows has the gradient of its losses through both. */
    @Test
    void theGradientFlowsThroughAllBackSteps() {
        int[] tokens = pattern(13);
        Trainer one = Trainer.builder().batchSize(1).build();
        double[][] gradients = new double[2][];
        try (LanguageModel model =
                        new LanguageModel(backend, config(6).withLayers(2).withWindow(6, 12));
                LanguageModelLearner learner = new LanguageModelLearner(model, tokens, one);
                Minibatch whole = new Minibatch(backend, 0);
                Tensor metrics = backend.allocate(Shape.of(2))) {
            learner.startEpoch(1);
            assertEquals(6, learner.learn(0, 0, metrics));
            backend.fill(learner.gradients().flat(), 0);
            assertEquals(6, learner.learn(1, 1, metrics));
            gradients[0] = learner.gradients().flat().toDoubles();

            backend.fill(learner.gradients().flat(), 0);
            model.network().rnn().resetState();
            int[] labels = Arrays.copyOfRange(tokens, 1, 13);
            Arrays.fill(labels, 0, 6, -1);
            whole.load(Arrays.copyOf(tokens, 12), labels, 1);
            Tensor logits = model.network().forward(whole, 0, 0);
            backend.softmaxCrossEntropy(logits, whole.labels(), 0, 1.0 / 6, metrics, logits);
            model.network().backward(logits);
            gradients[1] = learner.gradients().flat().toDoubles();
        }
        assertArrayEquals(gradients[1], gradients[0], 1e-15);
    }

    /** The first windows have none before them to reach back into, and are shorter. */
    @Test
    void nothingIsAllocatedAfterTheFirstBatch() {
        AtomicInteger allocations = new AtomicInteger();
        Backend counting = Intercepted.allocating(backend, shape -> allocations.incrementAndGet());
        List<Integer> perBatch = new ArrayList<>();
        Callback counter = afterBatch(progress -> perBatch.add(allocations.get()));
        LanguageModelConfig config =
                config(4).withLayers(2).withDropout(.1).withRecurrentDropout(.1).withWindow(4, 10);
        try (LanguageModel model = new LanguageModel(counting, config)) {
            model.fit(
                    pattern(100),
                    Trainer.builder().epochs(2).batchSize(3).callback(counter).build());
        }
        assertEquals(18, perBatch.size());
        assertEquals(Collections.nCopies(18, perBatch.get(0)), perBatch);
    }

    @Test
    void aWarmUpChangesNothing() {
        double[][] gradients = new double[2][];
        for (int i = 0; i < 2; i++) {
            try (LanguageModel model = new LanguageModel(backend, config(4).withWindow(4, 10));
                    LanguageModelLearner learner = new LanguageModelLearner(model, pattern(100), trainer());
                    Tensor metrics = backend.allocate(Shape.of(2))) {
                learner.startEpoch(1);
                if (i > 0) learner.warmUp(metrics);
                backend.fill(learner.gradients().flat(), 0);
                learner.learn(0, 0, metrics);
                gradients[i] = learner.gradients().flat().toDoubles();
            }
        }
        assertArrayEquals(gradients[0], gradients[1]);
    }

    /** What an evaluation between two windows takes away is the state, and nothing else. */
    @Test
    void anEvaluationBetweenWindowsIsSurvived() {
        try (LanguageModel model = new LanguageModel(backend, config(2).withWindow(2, 5))) {
            Callback evaluates = afterBatch(progress -> model.evaluate(pattern(10)));
            History history = model.fit(
                    pattern(60),
                    Trainer.builder().epochs(2).batchSize(3).callback(evaluates).build());
            assertTrue(Double.isFinite(history.last().loss()));
        }
    }

    private static float[] logits(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) logits[i] = (float) Math.log(probabilities[i]);
        return logits;
    }

    @Test
    void samplingFollowsTheProbabilities() {
        float[] logits = logits(0.1, 0.6, 0.3);
        int[] counts = new int[3];
        Random random = new Random(1);
        for (int i = 0; i < 10_000; i++) counts[new Sampling(1, 0, 0).draw(logits, random)]++;
        assertEquals(0.1, counts[0] / 1e4, 0.02);
        assertEquals(0.6, counts[1] / 1e4, 0.02);
        for (int i = 0; i < 100; i++) assertEquals(1, new Sampling(1, 1, 0).draw(logits, random));
        for (int i = 0; i < 100; i++) assertTrue(new Sampling(1, 2, 0).draw(logits, random) > 0);
        assertTrue(new Sampling(1, 4, 0).draw(logits, random) < 3, "of more than there are, all");
        int cold = 0;
        for (int i = 0; i < 1000; i++) cold += new Sampling(0.05, 0, 0).draw(logits, random) == 1 ? 1 : 0;
        assertEquals(1000, cold);
    }

    /** Where the largest number below 1 is drawn, which the sum of all can fall short of. */
    @Test
    void roundingDrawsNothingThatIsNeverDrawn() {
        Random random = new Random(1);
        for (int i = 0; i < 1000; i++) {
            float[] logits = new float[20];
            for (int k = 1; k < 20; k++) logits[k] = (float) random.nextGaussian();
            logits[0] = Float.NEGATIVE_INFINITY;
            assertTrue(new Sampling(1, 0, 0).draw(logits, () -> -1L) > 0, "logits " + i);
        }
    }

    /** Each text of many has the next seed, and they are to differ from their first token on. */
    @Test
    void neighbouringSeedsBeginDifferently() {
        try (LanguageModel model = new LanguageModel(backend, config(4))) {
            int[] counts = new int[4];
            for (int seed = 0; seed < 100; seed++) {
                counts[model.sample(new int[] {1}, 1, new Sampling(1, 0, seed), -1)[0]]++;
            }
            for (int count : counts) assertTrue(count > 5, Arrays.toString(counts));
        }
    }

    /** Also where the network is so sure of it that all others have the probability 0 in float. */
    @Test
    void whatIsNeverDrawnIsNeverDrawn() {
        try (LanguageModel model = new LanguageModel(backend, config(4))) {
            float[] bias = {0, 0, 200, -200};
            model.weights().get("dense.b").set(bias);
            for (int seed = 0; seed < 20; seed++) {
                int[] drawn = model.sample(new int[] {1}, 5, new Sampling(1, 0, seed), -1, 2);
                for (int id : drawn) assertTrue(id < 2, Arrays.toString(drawn));
            }
            assertArrayEquals(
                    new int[] {3, 3},
                    model.sample(new int[] {1}, 2, new Sampling(1, 0, 0), -1, 0, 1, 2),
                    "all that is left");
            assertArrayEquals(new int[0], model.sample(new int[] {1}, 0, new Sampling(1, 0, 0), -1));
        }
    }

    @Test
    void goesOnFromACheckpointAsIfItHadNeverStopped(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        int[] tokens = IntStream.range(0, 300).map(t -> 1 + t * t % 4).toArray();
        LanguageModelConfig config = LanguageModelConfig.of(36).withSizes(4, 8).withWindow(16);
        Trainer.Builder settings =
                Trainer.builder().epochs(4).batchSize(3).validationSplit(0.2).patience(4);
        float[] whole;
        try (LanguageModel model = new LanguageModel(backend, config)) {
            model.fit(tokens, settings.build());
            whole = model.weights().flat().toFloats();
        }
        try (LanguageModel model = new LanguageModel(backend, config)) {
            model.fit(tokens, settings.epochs(2).build(), Checkpoints.in(file));
        }
        assertEquals(2, Checkpoint.read(file).epoch());
        try (LanguageModel model = new LanguageModel(backend, config)) {
            int[] others = tokens.clone();
            // Arrays.hashCode is the same.
            others[7]--;
            others[8] += 31;
            Trainer trainer = settings.epochs(4).build();
            refused("the tokens are not those of then", () -> model.fit(others, trainer, Checkpoints.in(file)));
            model.fit(tokens, trainer, Checkpoints.in(file));
            assertArrayEquals(whole, model.weights().flat().toFloats());
        }
    }

    @Test
    void badInputIsNamed() {
        try (LanguageModel model = new LanguageModel(backend, config(4))) {
            refused("below V = 4, but step 1 has 4", () -> model.fit(new int[] {1, 4}, trainer()));
            refused("at least 2 tokens, but got 1. Give", () -> model.fit(new int[] {1}, trainer()));
            refused("at least 2 tokens, but got 1. Give", () -> model.evaluate(new int[] {1}));
            Trainer most = Trainer.builder().validationSplit(0.9).build();
            refused("validationSplit 0.9 of 10 tokens leaves 1 to train on", () -> model.fit(new int[10], most));
            Trainer split = Trainer.builder().validationSplit(0.1).patience(2).build();
            refused("12 tokens holds back 1", () -> model.fit(new int[12], split));
            missing("tokens", () -> model.evaluate(null));
            missing("trainer", () -> model.fit(new int[12], null));
            refused("count", () -> model.sample(new int[] {1}, -1, new Sampling(1, 0, 0), -1));
            refused("below V = 4", () -> model.sample(new int[] {1}, 1, new Sampling(1, 0, 0), -1, 99));
            refused("bans all V = 4", () -> model.sample(new int[] {1}, 1, new Sampling(1, 0, 0), -1, 3, 1, 2, 1, 0));
            refused("at least one token", () -> model.sample(new int[0], 1, new Sampling(1, 0, 0), -1));
        }
        refused("temperature", () -> new Sampling(0, 0, 0));
        refused("topK", () -> new Sampling(1, -1, 0));
        refused("V = 1", () -> LanguageModelConfig.of(1));
    }

    @Test
    void evaluationSaysHowManyTokensCounted() {
        try (LanguageModel model = new LanguageModel(backend, config(4).withWindow(2))) {
            // 95 predictions: 32 streams of 2, and 31 that do not divide.
            assertEquals(64, model.evaluate(pattern(96)).count());
            assertEquals(96, model.evaluate(pattern(97)).count());
            // 7 predictions are no fourth stream of 2, and one is a stream.
            assertEquals(6, model.evaluate(pattern(8)).count());
            assertEquals(1, model.evaluate(pattern(2)).count());
            assertEquals(4, new Metrics(Math.log(4), 0, 1).perplexity(), 1e-12);
        }
    }

    @Test
    void aWindowMayBeLongerThanAnyText() {
        TokenStreams streams = new TokenStreams(pattern(20), 4, Integer.MAX_VALUE, Integer.MAX_VALUE);
        try (Minibatch batch = new Minibatch(backend, 0)) {
            assertEquals(1, streams.windows());
            assertEquals(19, streams.load(batch, 0));
        }
    }

    @Test
    void extremeTemperaturesStillDrawWhatIsLikely() {
        float[] logits = logits(0.1, 0.6, 0.3, 0);
        Random random = new Random(1);
        for (int i = 0; i < 100; i++) {
            assertEquals(1, new Sampling(Double.MIN_VALUE, 0, 0).draw(logits, random));
            assertTrue(new Sampling(Double.MAX_VALUE, 0, 0).draw(logits, random) < 3, "0 is never drawn");
        }
        int first = 0;
        for (int i = 0; i < 1000; i++) first += 1 - new Sampling(1, 0, 0).draw(new float[] {1000, 999}, random);
        assertEquals(.731, first / 1000.0, .05, "as of 1 and 0");
        refused("temperature", () -> new Sampling(Double.POSITIVE_INFINITY, 0, 0));
    }
}
