package dev.elman.train;

import static dev.elman.train.SimpleRnnClassifierTest.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.reference.ReferenceBackend;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LanguageModelTest {
    private final Backend backend = new ReferenceBackend();

    @AfterEach
    void nothingLeft() {
        assertEquals(0, backend.liveTensors());
        backend.close();
    }

    /** 1 2 3 3 1 2 3 3 ...: what follows a 3 depends on the step before. */
    private static int[] pattern(int count) {
        int[] period = {1, 2, 3, 3};
        int[] tokens = new int[count];
        for (int t = 0; t < count; t++) tokens[t] = period[t % 4];
        return tokens;
    }

    private static LanguageModelConfig config(int window) {
        return new LanguageModelConfig(4, 6, 12, 0, window, 1);
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
            assertEquals(0, model.sample(new int[] {1, 2}, 6, new Sampling(1, 1, 0), 3).length, "stopped at once");
        }
    }

    @Test
    void theStateFlowsFromWindowToWindow() {
        // With windows of one step nothing but the carried state tells the two 3s apart.
        try (LanguageModel model = new LanguageModel(backend, config(1))) {
            model.fit(pattern(200), trainer());
            assertTrue(model.evaluate(pattern(100)).accuracy() > 0.9);
        }
    }

    @Test
    void streamsCoverTheTextOnce() {
        int[] tokens = new int[23];
        for (int t = 0; t < tokens.length; t++) tokens[t] = t;
        TokenStreams streams = new TokenStreams(tokens, 2, 4);
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
    void samplingFollowsTheProbabilities() {
        float[] probabilities = {0.1f, 0.6f, 0.3f};
        int[] counts = new int[3];
        Random random = new Random(1);
        for (int i = 0; i < 10_000; i++) counts[new Sampling(1, 0, 0).draw(probabilities, random)]++;
        assertEquals(0.1, counts[0] / 1e4, 0.02);
        assertEquals(0.6, counts[1] / 1e4, 0.02);
        for (int i = 0; i < 100; i++) assertEquals(1, new Sampling(1, 1, 0).draw(probabilities, random));
        for (int i = 0; i < 100; i++) assertTrue(new Sampling(1, 2, 0).draw(probabilities, random) > 0);
        int cold = 0;
        for (int i = 0; i < 1000; i++) cold += new Sampling(0.05, 0, 0).draw(probabilities, random) == 1 ? 1 : 0;
        assertEquals(1000, cold);
    }

    @Test
    void badInputIsNamed() {
        try (LanguageModel model = new LanguageModel(backend, config(4))) {
            refused("below V = 4, but step 1 has 4", () -> model.fit(new int[] {1, 4}, trainer()));
            refused("at least 2 tokens", () -> model.fit(new int[] {1}, trainer()));
            refused("at least one token", () -> model.sample(new int[0], 1, new Sampling(1, 0, 0), -1));
        }
        refused("temperature", () -> new Sampling(0, 0, 0));
        refused("topK", () -> new Sampling(1, -1, 0));
        refused("V = 1", () -> LanguageModelConfig.of(1));
    }

    @Test
    void aWindowMayBeLongerThanAnyText() {
        TokenStreams streams = new TokenStreams(pattern(20), 4, Integer.MAX_VALUE);
        try (Minibatch batch = new Minibatch(backend, 0)) {
            assertEquals(1, streams.windows());
            assertEquals(19, streams.load(batch, 0));
        }
    }

    @Test
    void aValidationSplitTooSmallToMeasureIsRefused() {
        try (LanguageModel model = new LanguageModel(backend, config(4))) {
            Trainer trainer = Trainer.builder().validationSplit(0.1).patience(1).build();
            refused("validationSplit", () -> model.fit(pattern(10), trainer));
        }
    }

    @Test
    void extremeTemperaturesStillDrawWhatIsLikely() {
        float[] probabilities = {0.1f, 0.6f, 0.3f, 0};
        Random random = new Random(1);
        for (int i = 0; i < 100; i++) {
            assertEquals(1, new Sampling(Double.MIN_VALUE, 0, 0).draw(probabilities, random));
            assertTrue(new Sampling(Double.MAX_VALUE, 0, 0).draw(probabilities, random) < 3, "0 is never drawn");
        }
        refused("temperature", () -> new Sampling(Double.POSITIVE_INFINITY, 0, 0));
    }
}
