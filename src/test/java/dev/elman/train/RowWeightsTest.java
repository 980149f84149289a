package dev.elman.train;

import static dev.elman.train.Callbacks.afterBatch;
import static dev.elman.train.Refusals.refused;
import static dev.elman.train.ToyTraining.DATA;
import static dev.elman.train.ToyTraining.ROWS;
import static dev.elman.train.ToyTraining.config;
import static dev.elman.train.ToyTraining.data;
import static dev.elman.train.ToyTraining.fit;
import static dev.elman.train.ToyTraining.trainer;
import static dev.elman.train.ToyTraining.weighted;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.Backends;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A row of weight w counts as w rows, in gradients, means and validation. */
class RowWeightsTest {
    @Test
    void aRowCountsAsManyTimesAsItsWeightSays() {
        int[] twice = {3, 3, 4, 5, 6, 6};
        int[] once = {3, 4, 7, 5, 6};
        float[] weights = {2, 1, 0, 1, 2};
        Trainer trainer = trainer().batchSize(ROWS).build();
        double[][] results = new double[2][];
        for (int run = 0; run < 2; run++) {
            int[] rows = run == 0 ? twice : once;
            TrainingData data = new TrainingData(
                    SequenceInput.tokens(
                            Arrays.stream(rows).mapToObj(row -> DATA.ids[row]).toArray(int[][]::new)),
                    Arrays.stream(rows).map(row -> DATA.labels[row]).toArray(),
                    run == 0 ? null : weights);
            try (Backend backend = new ReferenceBackend();
                    SimpleRnnClassifier model = ToyData.model(backend)) {
                model.fit(data, trainer, Team.alone(), Checkpoints.none());
                results[run] = model.weights().flat().toDoubles();
            }
        }
        assertArrayEquals(results[0], results[1], 1e-6); // weight / total is rounded to float nowhere else
    }

    @Test
    void eachRowHasOneLabelAndOneWeight() {
        SequenceInput two = SequenceInput.tokens(new int[][] {{1}, {2}});
        for (int count : new int[] {1, 3}) {
            String rows = ", but there are " + count;
            refused("one label a row" + rows, () -> TrainingData.of(two, new int[count]));
            refused("one weight a row" + rows, () -> new TrainingData(two, new int[2], new float[count]));
        }
        for (float weight : new float[] {-1e-9f, Float.POSITIVE_INFINITY, Float.NaN}) {
            refused("row 1 has " + weight, () -> new TrainingData(two, new int[2], new float[] {1, weight}));
        }
    }

    /** With a rate of 0 the weights stay. */
    @Test
    void aWeightedEpochTellsTheMeansOfAllItsBatches() {
        Trainer still = trainer().epochs(1).schedule((step, total) -> 0).build();
        float[] weights = new float[ROWS];
        for (int n = 0; n < ROWS; n++) weights[n] = n % 3;
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend)) {
            EpochResult epoch = model.fit(weighted(weights), still, Team.alone(), Checkpoints.none())
                    .last();
            Metrics all = model.measure(weighted(weights), Batches.range(ROWS));
            assertEquals(all.loss(), epoch.loss(), 1e-6);
            assertEquals(all.accuracy(), epoch.accuracy(), 1e-6);
        }
    }

    /** Though its states overflow and its loss is no number. */
    @Test
    void aRowWithoutWeightIsNoPartOfAMean() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = new SimpleRnnClassifier(
                        backend, ToyData.config().activation(Activation.LINEAR).build())) {
            backend.fill(model.weights().get("rnn.forward.wh"), 1e200);
            SequenceInput both = SequenceInput.tokens(new int[][] {{1}, {1, 1, 1, 1}});
            double alone = model.evaluate(new int[][] {{1}}, new int[1]).loss();
            assertEquals(Double.NaN, model.evaluate(both, new int[2]).loss());
            TrainingData first = new TrainingData(both, new int[2], new float[] {1, 0});
            assertEquals(alone, model.measure(first, Batches.range(2)).loss(), 1e-6);
        }
    }

    /** Which rows are held back does not depend on their weights. */
    @Test
    void weightsCountInValidation() {
        Trainer trainer = trainer().epochs(1).validationSplit(0.2).build();
        int[] order = Batches.range(ROWS);
        Batches.shuffle(order, Seeds.random(trainer.seed()));
        int[] held = Arrays.copyOf(order, 20);
        float[] weights = new float[ROWS];
        for (int n = 0; n < ROWS; n++) weights[n] = 1 + n % 3;
        double loss = 0;
        double hits = 0;
        double total = 0;
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend)) {
            EpochResult result = model.fit(weighted(weights), trainer, Team.alone(), Checkpoints.none())
                    .last();
            float[][] probabilities = model.predictProba(DATA.ids);
            int[] predicted = model.predict(DATA.ids);
            for (int n : held) {
                loss -= weights[n] * Math.log(probabilities[n][DATA.labels[n]]);
                hits += predicted[n] == DATA.labels[n] ? weights[n] : 0;
                total += weights[n];
            }
            assertEquals(loss / total, result.validationLoss(), 1e-6);
            assertEquals(hits / total, result.validationAccuracy(), 1e-6);
        }
        float[] heldOnly = new float[ROWS];
        for (int n : held) heldOnly[n] = 1;
        refused("all 81 rows to train on have weight 0", () -> fit(weighted(heldOnly), trainer));
        float[] trainingOnly = new float[ROWS];
        for (int n = 0; n < ROWS; n++) trainingOnly[n] = 1 - heldOnly[n];
        refused("all 20 rows that validationSplit holds back", () -> fit(weighted(trainingOnly), trainer));
    }

    /** Three times 0.1 is a little more in float than in double. */
    @Test
    void allHitsAreAnAccuracyOf1() {
        int[][] ids = {{1}, {2}, {3}, {4}};
        float[] weights = {.1f, .1f, .1f, 0}; // a fit wants two classes
        TrainingData data = new TrainingData(SequenceInput.tokens(ids), new int[] {0, 0, 0, 1}, weights);
        List<Double> shown = new ArrayList<>();
        Callback progress = afterBatch(now -> shown.add(now.accuracy()));
        Trainer trainer = trainer().epochs(1).callback(progress).build();
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build());
                LocalTraining local = new LocalTraining(model, trainer, 1)) {
            model.weights().get("dense.b").set(100, 0, 0);
            EpochResult result = model.fit(data, data, trainer, Team.alone(), Checkpoints.none())
                    .last();
            assertEquals(List.of(1.0), shown);
            assertEquals(1, result.accuracy());
            assertEquals(1, result.validationAccuracy());
            assertEquals(1, local.step(data, 0).accuracy());
        }
    }

    @Test
    void equalWeightsAreNone() {
        float[] ones = new float[ROWS];
        Arrays.fill(ones, 1);
        assertArrayEquals(
                fit(data(), trainer().build()), fit(weighted(ones), trainer().build()));
        refused(
                "all " + ROWS + " rows to train on have weight 0",
                () -> fit(weighted(new float[ROWS]), trainer().build()));
        ones[7] = Float.NaN;
        refused("row 7", () -> weighted(ones));
    }
}
