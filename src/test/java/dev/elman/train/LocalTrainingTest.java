package dev.elman.train;

import static dev.elman.train.Refusals.refused;
import static dev.elman.train.ToyTraining.DATA;
import static dev.elman.train.ToyTraining.config;
import static dev.elman.train.ToyTraining.data;
import static dev.elman.train.ToyTraining.fit;
import static dev.elman.train.ToyTraining.rows;
import static dev.elman.train.ToyTraining.trainer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Steps of workers that exchange their states, not their gradients. */
class LocalTrainingTest {
    /** Averaging after each step is adding up gradients, for plain SGD that clips nothing. */
    @Test
    void averagedLocalStepsAreTheTeamsSteps() {
        Trainer trainer = trainer()
                .optimizer(Optimizer.sgd(0.1))
                .clipNorm(Double.POSITIVE_INFINITY)
                .clipValue(Double.POSITIVE_INFINITY)
                .build();
        double[] alone = fit(data(), trainer);
        int workers = 3;
        int[] lengths = Arrays.stream(DATA.ids).mapToInt(row -> row.length).toArray();
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build());
                LocalTraining local = new LocalTraining(model, trainer, 1)) {
            float[] state = local.state();
            long step = 0;
            for (int epoch = 1; epoch <= 3; epoch++) {
                for (int[] batch : trainer.batches(lengths, row -> true, epoch)) {
                    double[] mean = new double[state.length];
                    for (int rank = 0; rank < workers; rank++) {
                        int from = Team.shareStart(batch.length, rank, workers);
                        int to = Team.shareStart(batch.length, rank + 1, workers);
                        int[] rows = Arrays.copyOfRange(batch, from, to);
                        local.restore(state, step);
                        local.step(rows(rows), from);
                        float[] moved = local.state();
                        for (int i = 0; i < mean.length; i++) mean[i] += moved[i] * (double) rows.length / batch.length;
                    }
                    for (int i = 0; i < mean.length; i++) state[i] = (float) mean[i];
                    step++;
                }
            }
            double[] averaged =
                    IntStream.range(0, alone.length).mapToDouble(i -> state[i]).toArray();
            assertArrayEquals(alone, averaged, 1e-5);
        }
    }

    /** A state is all that the next step needs, and each may be taken by another. */
    @Test
    void localStepsFromStateToStateAreTheStepsOfAFit() {
        Trainer trainer = trainer().schedule(LearningRateSchedule.linear()).build();
        int[] lengths = Arrays.stream(DATA.ids).mapToInt(row -> row.length).toArray();
        int steps = 3 * trainer.batches(lengths, row -> true, 1).size();
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build())) {
            float[] state = null;
            long step = 0;
            for (int epoch = 1; epoch <= 3; epoch++) {
                for (int[] batch : trainer.batches(lengths, row -> true, epoch)) {
                    try (LocalTraining local = new LocalTraining(model, trainer, steps)) {
                        if (state == null) state = local.state();
                        local.restore(state, step++);
                        assertArrayEquals(state, local.state());
                        local.step(rows(batch), 0);
                        state = local.state();
                    }
                }
            }
            assertArrayEquals(fit(data(), trainer), model.weights().flat().toDoubles());
        }
    }

    /** A share without rows, as of a batch of fewer rows than workers, or without weight: moments alone would move the weights. */
    @Test
    void aLocalStepOfNothingIsCountedAndNoMore() {
        TrainingData nine = rows(Batches.range(9));
        TrainingData none = rows(new int[0]);
        TrainingData weightless = new TrainingData(SequenceInput.tokens(new int[][] {{1}}), new int[1], new float[1]);
        float[][] ends = new float[2][];
        try (Backend backend = Backends.openCpu(1)) {
            for (int run = 0; run < 2; run++) {
                try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build());
                        LocalTraining local = new LocalTraining(model, trainer().build(), 4)) {
                    local.step(nine, 0);
                    float[] state = local.state();
                    if (run == 0) {
                        assertEquals(new Metrics(0, 0, 0), local.step(none, 0));
                        assertEquals(new Metrics(0, 0, 1), local.step(weightless, 0));
                        assertArrayEquals(state, local.state());
                    } else {
                        local.restore(state, 3);
                    }
                    local.step(nine, 0);
                    ends[run] = local.state();
                }
            }
            assertEquals(0, backend.liveTensors());
        }
        assertArrayEquals(ends[1], ends[0]);
    }

    @Test
    void aStateOfAnotherLengthIsRefusedAndChangesNothing() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend);
                LocalTraining local = new LocalTraining(model, trainer().build(), 1)) {
            float[] state = local.state();
            for (int length : new int[] {0, state.length / 3, state.length - 1, state.length + 1}) {
                refused("restore: the state has " + length, () -> local.restore(new float[length], 0));
                assertArrayEquals(state, local.state());
            }
            // Adam would divide by 0 in its step 0.
            refused("restore: stepsBefore must be at least 0, but is -1", () -> local.restore(state, -1));
        }
    }

    @Test
    void aClosedLocalTrainingIsRefused() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend)) {
            LocalTraining local = new LocalTraining(model, trainer().build(), 1);
            float[] state = local.state();
            local.close();
            int live = backend.liveTensors();
            Map<String, Executable> operations = Map.of(
                    "state", local::state,
                    "restore", () -> local.restore(state, 0),
                    "step", () -> local.step(data(), 0));
            operations.forEach((name, operation) -> assertEquals(
                    name + ": this training is closed. Make another.",
                    assertThrows(IllegalStateException.class, operation).getMessage()));
            assertEquals(live, backend.liveTensors());
        }
    }

    @Test
    void aLocalStepWhoseLossIsNoNumberChangesNothing() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend);
                LocalTraining local = new LocalTraining(model, trainer().build(), 1)) {
            model.weights().get("dense.b").set(new float[] {0, Float.NaN, 0});
            float[] state = local.state();
            assertEquals(Double.NaN, local.step(rows(Batches.range(9)), 0).loss());
            assertArrayEquals(state, local.state());
        }
        Trainer infinite = trainer()
                .regularizer(WeightKind.KERNEL, Regularizer.l2(1e300))
                .clipValue(Double.POSITIVE_INFINITY)
                .build();
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend);
                LocalTraining local = new LocalTraining(model, infinite, 1)) {
            float[] state = local.state();
            assertEquals(Double.NaN, local.step(rows(Batches.range(9)), 0).loss(), "nor is its gradient");
            assertArrayEquals(state, local.state());
        }
    }

    @Test
    void aLocalStepThatCannotBeIsRefusedAndChangesNothing() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend);
                SimpleRnnClassifier sharing = SimpleRnnClassifier.sharing(
                        backend, model.config(), model.weights().flat());
                LocalTraining local = new LocalTraining(model, trainer().build(), 1)) {
            float[] state = local.state();
            int[][] row = {{ToyData.VOCABULARY}};
            refused(
                    "Token ids must be at least 0 and below V = 6",
                    () -> local.step(TrainingData.of(SequenceInput.tokens(row), new int[1]), 0));
            row[0][0] = 1;
            refused(
                    "step: labels must be at least 0 and below K = 3",
                    () -> local.step(TrainingData.of(SequenceInput.tokens(row), new int[] {3}), 0));
            assertArrayEquals(state, local.state());
            refused(
                    "patience",
                    () -> new LocalTraining(
                            model, trainer().patience(1).validationSplit(0.1).build(), 1));
            IllegalStateException e = assertThrows(
                    IllegalStateException.class,
                    () -> new LocalTraining(sharing, trainer().build(), 1));
            assertTrue(e.getMessage().contains("shares weights that another owns"), e.getMessage());
        }
    }
}
