package dev.elman.train;

import static dev.elman.train.Callbacks.afterBatch;
import static dev.elman.train.Refusals.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.contract.Intercepted;
import dev.elman.contract.OnReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a classifier allocates, and when; what is too large for an array is refused. */
class ClassifierMemoryTest extends OnReference {
    private final ToyData data = new ToyData(200, 1);

    /** Whatever the lengths are, and so whichever batches are cut, and how. */
    @ParameterizedTest
    @ValueSource(longs = {9, 22, 23, 29, 35, 38})
    void nothingIsAllocatedAfterTheFirstBatch(long seed) {
        Random random = Seeds.random(seed);
        int longest = 1 << random.nextInt(13);
        double tail = 2 * random.nextDouble();
        int[][] ids = new int[20 + random.nextInt(60)][];
        for (int n = 0; n < ids.length; n++) {
            ids[n] = new int[(int) Math.min(longest, 10 * Math.pow(random.nextDouble(), -tail))];
        }
        int[] labels = new int[ids.length];
        labels[0] = 1;
        AtomicInteger allocations = new AtomicInteger();
        List<Integer> perBatch = new ArrayList<>();
        Callback counter = afterBatch(progress -> perBatch.add(allocations.getAndSet(0)));
        ClassifierConfig config = ClassifierConfig.tokens(1, 2)
                .embeddingSize(1)
                .hiddenSize(1)
                .bidirectional(true)
                .dropout(.1)
                .build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(
                Intercepted.allocating(backend, shape -> allocations.incrementAndGet()), config)) {
            model.fit(
                    ids,
                    labels,
                    Trainer.builder()
                            .epochs(3)
                            .batchSize(1 + random.nextInt(30))
                            .callback(counter)
                            .build());
        }
        assertTrue(perBatch.remove(0) > 0);
        assertEquals(Collections.nCopies(perBatch.size(), 0), perBatch);
    }

    /** It is first made after an epoch. */
    @Test
    void theCopyThatPatienceKeepsHasItsMemoryBeforeTheFirstBatch() {
        int[] copies = new int[2];
        for (int patience = 0; patience < 2; patience++) {
            int now = patience;
            List<Long> sizes = new ArrayList<>();
            Callback counter = afterBatch(progress -> {
                if (progress.batch() == 1) copies[now] = Collections.frequency(sizes, sizes.get(0));
            });
            Backend watched = Intercepted.allocating(backend, shape -> sizes.add(shape.size()));
            try (SimpleRnnClassifier model = ToyData.model(watched)) {
                Trainer.Builder settings = ToyData.trainer().epochs(1).validationSplit(0.2);
                model.fit(
                        data.ids,
                        data.labels,
                        settings.patience(now).callback(counter).build());
            }
        }
        assertEquals(copies[0] + 1, copies[1]);
    }

    /** Whatever it was that found no memory, none of a training stays taken when the model is closed. */
    @Test
    void aTrainingWithoutMemoryLeavesNothingBehind() {
        Trainer trainer =
                ToyData.trainer().epochs(1).validationSplit(0.2).patience(1).build();
        int failed = 0;
        for (boolean fits = false; !fits; failed += fits ? 0 : 1) {
            AtomicInteger left = new AtomicInteger(failed);
            Backend full = Intercepted.allocating(backend, shape -> {
                if (left.getAndDecrement() == 0) throw new OutOfMemoryError("for this test");
            });
            try (SimpleRnnClassifier model = ToyData.model(full)) {
                model.fit(data.ids, data.labels, trainer);
                fits = true;
            } catch (OutOfMemoryError e) {
                assertEquals("for this test", e.getMessage());
            }
            assertEquals(0, backend.liveTensors(), "allocation " + failed);
        }
        assertTrue(failed > 10, "weights, gradients, two copies, two moments, layers: " + failed);
    }

    @Test
    void aBatchBeyondWhatArraysHoldIsNamed() {
        int[][] ids = new int[256][];
        Arrays.fill(ids, new int[5_000_000]);
        int[] labels = new int[256];
        labels[0] = 1;
        Trainer trainer = Trainer.builder().batchSize(256).build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(
                backend, ClassifierConfig.tokens(2, 2).hiddenSize(3).build())) {
            refused("N = 256 rows of T = 5000000 steps", () -> model.fit(ids, labels, trainer));
        }
    }

    /** 2 rows of 2^15 steps would fit, but not with 2^16 features each. */
    @Test
    void theFeaturesOfABatchCountToo() {
        SequenceInput input = SequenceInput.features(new float[][][] {new float[1 << 15][], {}});
        try (Minibatch batch = new Minibatch(backend, 1 << 16)) {
            refused("N = 2 rows of T = 32768 steps", () -> batch.load(input, Batches.range(2), null));
        }
        // Of one feature the mask and the ids, which are 0, are more.
        float[][][] rows = new float[1 << 15][][];
        Arrays.fill(rows, new float[1 << 15][]);
        try (Minibatch batch = new Minibatch(backend, 1)) {
            refused(
                    "N = 32768 rows of T = 32768 steps",
                    () -> batch.load(SequenceInput.features(rows), Batches.range(rows.length), null));
        }
    }

    /** Without the limit the short rows would be padded to the long one: 257 times its memory. */
    @Test
    void aLongRowIsReadWithoutTheShortOnes() {
        int[][] ids = new ToyData(257, 3).ids;
        int[][] together = ids.clone();
        together[7] = new int[70_000];
        AtomicLong largest = new AtomicLong();
        ClassifierConfig config = ClassifierConfig.tokens(ToyData.VOCABULARY, 2)
                .embeddingSize(1)
                .hiddenSize(1)
                .build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(
                Intercepted.allocating(backend, shape -> largest.accumulateAndGet(shape.size(), Math::max)), config)) {
            float[][] alone = model.predictProba(ids);
            float[][] all = model.predictProba(together);
            model.evaluate(together, new int[257]);
            int[] labels = new int[257];
            labels[7] = 1;
            model.fit(
                    together, labels, Trainer.builder().epochs(1).batchSize(257).build());
            assertTrue(largest.get() < 5 * 70_000, "largest allocation " + largest);
            for (int n = 0; n < 257; n++) {
                if (n != 7) assertArrayEquals(alone[n], all[n], "row " + n);
            }
        }
    }
}
