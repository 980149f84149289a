package dev.elman.train;

import static dev.elman.train.Callbacks.afterEpoch;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.contract.OnReference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A training whose loss, gradient or weights are no numbers stops, says where, and keeps the last good weights. */
class DivergenceTest extends OnReference {
    private final ToyData data = new ToyData(100, 1);

    @Test
    void divergenceStopsSaysWhenAndKeepsTheLastGoodWeights() {
        double[][] lastGood = new double[1][];
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(
                backend, ToyData.config().activation(Activation.LINEAR).build())) {
            Callback watcher =
                    afterEpoch(result -> lastGood[0] = model.weights().flat().toDoubles());
            Trainer trainer = ToyData.trainer()
                    .optimizer(Optimizer.sgd(0.1))
                    .clipNorm(Double.POSITIVE_INFINITY)
                    .schedule((step, total) -> step == 8 ? 1e200 : 1)
                    .callback(watcher)
                    .build();
            TrainingDivergedException e =
                    assertThrows(TrainingDivergedException.class, () -> model.fit(data.ids, data.labels, trainer));
            assertEquals(2, e.epoch());
            assertEquals(3, e.batch(), "after 7 of epoch 1, the second's step was the ninth");
            assertTrue(e.getMessage().contains("epoch 2, batch 3: "), e.getMessage());
            assertTrue(e.getMessage().contains("end of epoch 1"), e.getMessage());
            assertTrue(e.getMessage().contains(", learning rate 1.0E199. "), e.getMessage());
            assertTrue(e.getMessage().endsWith(". Try a smaller learning rate, or clipNorm(1)."), e.getMessage());
            assertArrayEquals(lastGood[0], model.weights().flat().toDoubles());
        }
    }

    /** The validation loss is the lowest after epoch 2, higher after 3, and after 4 there is none. */
    @Test
    void divergenceKeepsTheBestWeightsWherePatienceHasThem() {
        List<double[]> ends = new ArrayList<>();
        List<Double> losses = new ArrayList<>();
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Callback watcher = afterEpoch(result -> {
                ends.add(model.weights().flat().toDoubles());
                losses.add(result.validationLoss());
            });
            Trainer trainer = ToyData.trainer()
                    .validationSplit(0.2)
                    .patience(5)
                    .batchSize(80)
                    .schedule((step, total) -> step < 2 ? 1 : step < 3 ? 100 : Double.POSITIVE_INFINITY)
                    .callback(watcher)
                    .build();
            TrainingDivergedException e =
                    assertThrows(TrainingDivergedException.class, () -> model.fit(data.ids, data.labels, trainer));
            assertTrue(losses.get(1) < losses.get(0) && losses.get(1) < losses.get(2), losses.toString());
            assertEquals(2, e.lastGoodEpoch());
            assertTrue(e.getMessage().contains("its best weights, those of the end of epoch 2"), e.getMessage());
            assertArrayEquals(ends.get(1), model.weights().flat().toDoubles());
        }
    }

    /** The step that ruins the weights may be the last of an epoch, or of all: its own loss was still a number. */
    @ParameterizedTest
    @CsvSource({"0, 1, 1, 0", "0, 3, 2, 0", "1, 2, 2, 1", "1, 3, 3, 1"})
    void weightsAreGoodOnlyOnceALossHasComeOfThem(int ruined, int epochs, int diverged, int good) {
        double[][] ends = new double[epochs + 1][];
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            ends[0] = model.weights().flat().toDoubles();
            Callback watcher = afterEpoch(
                    result -> ends[result.epoch()] = model.weights().flat().toDoubles());
            Trainer trainer = ToyData.trainer()
                    .epochs(epochs)
                    .batchSize(100)
                    .schedule((step, total) -> step == ruined ? Double.POSITIVE_INFINITY : 1)
                    .callback(watcher)
                    .build();
            TrainingDivergedException e =
                    assertThrows(TrainingDivergedException.class, () -> model.fit(data.ids, data.labels, trainer));
            assertEquals(diverged, e.epoch());
            assertEquals(good, e.lastGoodEpoch());
            assertArrayEquals(ends[good], model.weights().flat().toDoubles());
        }
    }

    /** Whatever comes first of the last epoch: a batch of rows that do not count has loss 0 with any weights. */
    @Test
    void weightsAreNotProvenByRowsThatDoNotCount() {
        int[][] ids = {{1}, {2}, {3}, {4}};
        TrainingData rows =
                new TrainingData(SequenceInput.tokens(ids), new int[] {0, 1, 0, 1}, new float[] {0, 0, 1, 1});
        for (int seed = 0; seed < 8; seed++) {
            try (SimpleRnnClassifier model = ToyData.model(backend)) {
                double[] before = model.weights().flat().toDoubles();
                Trainer trainer = ToyData.trainer()
                        .seed(seed)
                        .epochs(1)
                        .batchSize(1)
                        .schedule((step, total) -> step == total - 1 ? Double.POSITIVE_INFINITY : 1)
                        .build();
                assertThrows(
                        TrainingDivergedException.class,
                        () -> model.fit(rows, trainer, Team.alone(), Checkpoints.none()));
                assertArrayEquals(before, model.weights().flat().toDoubles());
            }
        }
    }

    @Test
    void weightsThatNeverGaveALossAreNotGood() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            double[] before = model.weights().flat().toDoubles();
            // One batch an epoch: what the first update makes of the weights shows in the second epoch only.
            Trainer trainer = ToyData.trainer()
                    .batchSize(100)
                    .optimizer(Optimizer.sgd(1e300))
                    .clipNorm(Double.POSITIVE_INFINITY)
                    .build();
            TrainingDivergedException e =
                    assertThrows(TrainingDivergedException.class, () -> model.fit(data.ids, data.labels, trainer));
            assertEquals(2, e.epoch());
            assertEquals(0, e.lastGoodEpoch());
            assertTrue(e.getMessage().contains("from before the training"), e.getMessage());
            assertArrayEquals(before, model.weights().flat().toDoubles());
        }
    }

    @Test
    void whatTheLastStepRuinedIsSaidToBeOfThatStep() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Trainer trainer = ToyData.trainer()
                    .epochs(1)
                    .batchSize(data.ids.length)
                    .schedule((step, total) -> Double.POSITIVE_INFINITY)
                    .build();
            TrainingDivergedException e =
                    assertThrows(TrainingDivergedException.class, () -> model.fit(data.ids, data.labels, trainer));
            assertTrue(
                    e.getMessage().contains("in epoch 1, batch 1: after its step loss NaN, learning"), e.getMessage());
            assertTrue(e.getMessage().contains("smaller learning rate"), e.getMessage());
        }
    }

    @Test
    void aGradientThatIsNoNumberStopsWhereTheLossIsOne() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            double[] before = model.weights().flat().toDoubles();
            Trainer trainer = ToyData.trainer()
                    .regularizer(WeightKind.KERNEL, Regularizer.l2(1e300))
                    .build();
            TrainingDivergedException e =
                    assertThrows(TrainingDivergedException.class, () -> model.fit(data.ids, data.labels, trainer));
            assertTrue(
                    e.getMessage().matches(".* epoch 1, batch 1: loss \\d.*, gradient norm Infinity\\. .*"),
                    e.getMessage());
            assertArrayEquals(before, model.weights().flat().toDoubles());
        }
    }

    @Test
    void aLossThatIsNoNumberFromTheStartIsTheWeights() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            backend.fill(model.weights().flat(), Float.NaN);
            Trainer trainer = ToyData.trainer().build();
            TrainingDivergedException e =
                    assertThrows(TrainingDivergedException.class, () -> model.fit(data.ids, data.labels, trainer));
            assertTrue(e.getMessage().contains("No step was taken yet: look at the weights"), e.getMessage());
            assertTrue(!e.getMessage().contains("learning rate"), e.getMessage());
            for (double weight : model.weights().flat().toDoubles()) assertTrue(Double.isNaN(weight), "they stay");
        }
    }
}
