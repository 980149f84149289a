package dev.elman.train;

import static dev.elman.train.Callbacks.afterBatch;
import static dev.elman.train.Callbacks.afterEpoch;
import static dev.elman.train.Refusals.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Constraint;
import dev.elman.contract.OnReference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainerTest extends OnReference {
    private final ToyData data = new ToyData(100, 1);

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void patienceGivesTheBestWeightsBack(int patience) {
        // A rate far too high after a good start: the validation loss falls, then rises.
        List<double[]> snapshots = new ArrayList<>();
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Callback watcher =
                    afterEpoch(result -> snapshots.add(model.weights().flat().toDoubles()));
            Trainer trainer = ToyData.trainer()
                    .epochs(60)
                    .validationSplit(0.2)
                    .patience(patience)
                    .schedule((step, total) -> step < 12 ? 1 : 40)
                    .callback(watcher)
                    .build();
            History history = model.fit(data.ids, data.labels, trainer);
            int best = history.bestEpoch();
            assertTrue(history.epochs().size() < 60, "stopped early");
            assertTrue(best > 1, "the first epoch is no best one to wait for");
            assertEquals(best + patience, history.epochs().size());
            for (EpochResult result : history.epochs()) {
                assertTrue(result.validationLoss()
                        >= history.epochs().get(best - 1).validationLoss());
            }
            assertArrayEquals(snapshots.get(best - 1), model.weights().flat().toDoubles());
        }
    }

    /** With a rate of 0 the weights stay, and batches of one row have the norms of those rows. */
    @Test
    void anEpochTellsTheMeanOfItsNormsBeforeClipping() {
        Trainer.Builder still = Trainer.builder().epochs(1).clipNorm(.001).schedule((step, total) -> 0);
        double first = result(still.batchSize(2), 1, 0).gradientNorm();
        double second = result(still.batchSize(2), 0, 1).gradientNorm();
        assertTrue(first > .01 && second > .01 && Math.abs(first - second) > .01, first + " and " + second);
        assertEquals((first + second) / 2, result(still.batchSize(1), 1, 1).gradientNorm(), 1e-6);
    }

    @Test
    void anEpochTellsTheRateOfItsLastStep() {
        Trainer.Builder falling = Trainer.builder()
                .epochs(2)
                .batchSize(1)
                .optimizer(Optimizer.sgd(.1))
                .schedule((step, total) -> 1 - (double) step / total);
        assertEquals(.1 * (1 - 3 / 4.), result(falling, 1, 1).learningRate(), 1e-15);
    }

    /** The last epoch of a training on two rows of these weights. */
    private EpochResult result(Trainer.Builder trainer, float... weights) {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            TrainingData rows =
                    new TrainingData(SequenceInput.tokens(new int[][] {{1, 2}, {3}}), new int[] {0, 1}, weights);
            return model.fit(rows, trainer.build(), Team.alone(), Checkpoints.none())
                    .last();
        }
    }

    /** With a rate of 0 the weights stay, and an epoch sees what an evaluation sees. */
    @Test
    void anEpochTellsTheMeansOfAllItsBatches() {
        Trainer still = ToyData.trainer().epochs(1).schedule((step, total) -> 0).build();
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            long began = System.nanoTime();
            EpochResult epoch = model.fit(data.ids, data.labels, still).last();
            double took = (System.nanoTime() - began) * 1e-9;
            assertTrue(epoch.seconds() > 0 && epoch.seconds() <= took, epoch.seconds() + " of " + took);
            Evaluation all = model.evaluate(data.ids, data.labels);
            assertEquals(all.loss(), epoch.loss(), 1e-6);
            assertEquals(all.accuracy(), epoch.accuracy(), 1e-6);
        }
    }

    @Test
    void callbacksSeeEveryBatchAndMayStop() {
        List<Progress> seen = new ArrayList<>();
        Callback watcher = new Callback() {
            @Override
            public void onBatchEnd(Progress progress) {
                seen.add(progress);
            }

            @Override
            public boolean onEpochEnd(EpochResult result) {
                return result.epoch() < 2;
            }
        };
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            History history = model.fit(
                    data.ids, data.labels, ToyData.trainer().callback(watcher).build());
            assertEquals(2, history.epochs().size());
            assertEquals(2 * 7, seen.size(), "100 rows in batches of 16");
            assertEquals(7, seen.get(13).batch());
            assertEquals(history.last().loss(), seen.get(13).loss());
        }
    }

    @ParameterizedTest(name = "in batch {0} of 7")
    @ValueSource(ints = {1, 3, 7})
    void anInterruptEndsTheTrainingWithTheWeightsOfTheLastWholeEpoch(int batch) {
        int whole = batch == 7 ? 2 : 1;
        Callback interrupting = afterBatch(progress -> {
            if (progress.epoch() == 2 && progress.batch() == batch)
                Thread.currentThread().interrupt();
        });
        try (SimpleRnnClassifier model = ToyData.model(backend);
                SimpleRnnClassifier other = ToyData.model(backend)) {
            History history = model.fit(
                    data.ids,
                    data.labels,
                    ToyData.trainer().callback(interrupting).build());
            assertTrue(Thread.interrupted(), "the thread stays interrupted");
            assertEquals(whole, history.epochs().size());
            assertEquals(whole, history.bestEpoch());
            other.fit(data.ids, data.labels, ToyData.trainer().epochs(whole).build());
            assertArrayEquals(
                    other.weights().flat().toFloats(), model.weights().flat().toFloats());
        } finally {
            Thread.interrupted();
        }
    }

    /** Two batches an epoch; the validation loss is the lowest after epoch 2. */
    @Test
    void anInterruptGivesTheBestWeightsBackWherePatienceHasThem() {
        List<double[]> ends = new ArrayList<>();
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Callback interrupting = new Callback() {
                @Override
                public void onBatchEnd(Progress progress) {
                    if (progress.epoch() == 4) Thread.currentThread().interrupt();
                }

                @Override
                public boolean onEpochEnd(EpochResult result) {
                    ends.add(model.weights().flat().toDoubles());
                    return true;
                }
            };
            Trainer trainer = ToyData.trainer()
                    .validationSplit(0.2)
                    .patience(5)
                    .batchSize(40)
                    .schedule((step, total) -> step < 4 ? 1 : 100)
                    .callback(interrupting)
                    .build();
            History history = model.fit(data.ids, data.labels, trainer);
            assertEquals(3, history.epochs().size());
            assertEquals(2, history.bestEpoch());
            assertArrayEquals(ends.get(1), model.weights().flat().toDoubles());
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void anInterruptEndsATrainingOfOneBatchAnEpoch() {
        Callback interrupting = afterBatch(progress -> {
            if (progress.epoch() == 2) Thread.currentThread().interrupt();
        });
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Trainer trainer =
                    ToyData.trainer().batchSize(100).callback(interrupting).build();
            assertEquals(2, model.fit(data.ids, data.labels, trainer).epochs().size());
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void anInterruptInTheFirstEpochLeavesTheFirstWeights() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            float[] first = model.weights().flat().toFloats();
            Thread.currentThread().interrupt();
            History history = model.fit(data.ids, data.labels, ToyData.trainer().build());
            assertEquals(List.of(), history.epochs());
            assertEquals(0, history.bestEpoch());
            assertArrayEquals(first, model.weights().flat().toFloats());
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void schedules() {
        assertEquals(1, LearningRateSchedule.constant().factor(7, 10));
        assertEquals(0.7, LearningRateSchedule.linear().factor(3, 10), 1e-12);
        assertEquals(0.5, LearningRateSchedule.cosine().factor(5, 10), 1e-12);
        assertEquals(0.25, LearningRateSchedule.stepDecay(0.5, 0.4).factor(8, 10), 1e-12);
        LearningRateSchedule tenths = LearningRateSchedule.stepDecay(0.5, 0.1);
        int[] tenthsDone = {0, 1, 3, 5, 6, 8}; // 0.1 * 6 is a little more than 0.6
        for (int step = 0; step < 6; step++) assertEquals(Math.pow(0.5, tenthsDone[step]), tenths.factor(step, 6));
        LearningRateSchedule warm = LearningRateSchedule.cosine().withWarmup(0.2);
        assertTrue(warm.factor(0, 100) > 0 && warm.factor(0, 100) < 0.06);
        double rise = warm.factor(1, 100) - warm.factor(0, 100);
        assertEquals(rise, warm.factor(20, 100) - warm.factor(19, 100), 1e-12, "a straight line up to 1");
        assertEquals(1, warm.factor(20, 100), 1e-12);
        assertEquals(0.5, warm.factor(60, 100), 1e-12);
    }

    @Test
    void noSeedDrawsWhatAnotherDraws() {
        Set<Long> drawn = new HashSet<>();
        for (long seed = 0; seed < 10; seed++) {
            for (long step = 0; step < 10; step++) {
                SplittableRandom random = new SplittableRandom(Seeds.of(seed, step));
                for (int i = 0; i < 10; i++) drawn.add(random.nextLong());
            }
        }
        assertEquals(1000, drawn.size());
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1e-9, Double.NaN})
    void aScheduleThatWouldClimbIsRefused(double factor) {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Trainer trainer = ToyData.trainer()
                    .epochs(2)
                    .schedule((step, total) -> step < 2 ? 1 : factor)
                    .build();
            refused("step 2 of 14 is " + factor, () -> model.fit(data.ids, data.labels, trainer));
        }
    }

    @Test
    void everyOptimizerLearns() {
        List<Optimizer> optimizers = List.of(
                Optimizer.sgd(0.5),
                Optimizer.sgd(0.1).withMomentum(0.9),
                Optimizer.sgd(0.1).withMomentum(0.9).withNesterov(true).withWeightDecay(1e-4),
                Optimizer.adam(0.02),
                Optimizer.adamW(0.02, 0.01));
        for (Optimizer optimizer : optimizers) {
            try (SimpleRnnClassifier model = ToyData.model(backend)) {
                Trainer trainer = ToyData.trainer()
                        .epochs(30)
                        .optimizer(optimizer)
                        .clipValue(1)
                        .build();
                History history = model.fit(data.ids, data.labels, trainer);
                assertTrue(
                        history.last().loss() < 0.7 * history.epochs().get(0).loss(),
                        optimizer + ": " + history.last());
            }
        }
    }

    @Test
    void eachSettingOfAnOptimizerIsChangedAlone() {
        Adam adam = Optimizer.adamW(.1, .2).withBetas(.8, .9).withEpsilon(1e-6).withWeightDecay(.3);
        assertEquals(new Adam(.1, .8, .9, 1e-6, .3, true), adam);
        Sgd sgd = Optimizer.sgd(.1).withMomentum(.8).withNesterov(true).withWeightDecay(.3);
        assertEquals(new Sgd(.1, .8, true, .3), sgd);
    }

    @Test
    void settingsOutOfRangeAreNamed() {
        refused("learning rate", () -> Optimizer.sgd(0));
        refused("learning rate", () -> Optimizer.adam(-1));
        refused("learning rate", () -> Optimizer.adamW(Double.NaN, 0));
        refused("momentum", () -> Optimizer.sgd(1).withMomentum(1));
        refused("Nesterov", () -> Optimizer.sgd(1).withNesterov(true));
        refused("epochs", () -> Trainer.builder().epochs(0).build());
        refused("batchSize", () -> Trainer.builder().batchSize(0).build());
        refused("share", () -> LearningRateSchedule.stepDecay(0.5, 0));
        refused("factor", () -> LearningRateSchedule.stepDecay(-2, 0.1));
        for (double share : new double[] {-1, 1.5, Double.NaN}) {
            refused("withWarmup: share", () -> LearningRateSchedule.constant().withWarmup(share));
        }
        for (double factor : new double[] {-1e-9, Double.POSITIVE_INFINITY, Double.NaN}) {
            refused("l1 must be at least 0 and below Infinity, but is " + factor, () -> Regularizer.l1(factor));
            refused("l2 must be at least 0 and below Infinity, but is " + factor, () -> Regularizer.l2(factor));
        }
        refused("clipNorm", () -> Trainer.builder().clipNorm(0).build());
        refused("validationSplit", () -> Trainer.builder().validationSplit(1).build());
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Trainer patient = Trainer.builder().patience(3).build();
            refused("set validationSplit", () -> model.fit(data.ids, data.labels, patient));
        }
    }

    @Test
    void settingsThatAreNullAreNamedWhereTheyAreSet() {
        Trainer.Builder trainer = Trainer.builder();
        Map<String, Executable> named = Map.of(
                "kind", () -> trainer.regularizer(null, Regularizer.l2(1)),
                "regularizer", () -> trainer.regularizer(WeightKind.KERNEL, null),
                "constraint", () -> trainer.constraint(WeightKind.KERNEL, null),
                "callback", () -> trainer.callback(null));
        named.forEach((name, setting) -> assertEquals(
                name, assertThrows(NullPointerException.class, setting).getMessage()));
    }

    @Test
    void settingsAreAlwaysTheSameText() {
        Trainer.Builder trainer = Trainer.builder();
        for (WeightKind kind : WeightKind.values()) {
            trainer.regularizer(kind, Regularizer.l2(.5)).constraint(kind, Constraint.maxNorm(2));
        }
        Map<String, String> settings = trainer.build().settings();
        assertEquals(ofAllKinds("Regularizer[l1=0.0, l2=0.5]"), settings.get("regularizers"));
        assertEquals(ofAllKinds("Constraint[kind=MAX_NORM, limit=2.0]"), settings.get("constraints"));
    }

    private static String ofAllKinds(String rule) {
        return Stream.of("KERNEL", "RECURRENT", "BIAS", "EMBEDDING", "OUTPUT", "OUTPUT_BIAS")
                .map(kind -> kind + "=" + rule)
                .collect(Collectors.joining(", ", "{", "}"));
    }

    @Test
    void aTrainerStaysAsItWasBuilt() {
        Trainer.Builder builder = Trainer.builder();
        Trainer trainer = builder.build();
        builder.regularizer(WeightKind.KERNEL, Regularizer.l2(1))
                .constraint(WeightKind.KERNEL, Constraint.unitNorm())
                .callback(new Callback() {});
        assertEquals(new WeightRules(Map.of(), Map.of()), trainer.rules());
        assertEquals(List.of(), trainer.callbacks());
    }

    @Test
    void aBatchMayBeLargerThanAnyData() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Trainer trainer =
                    ToyData.trainer().batchSize(Integer.MAX_VALUE).epochs(2).build();
            model.fit(new int[][] {{1}, {2}}, new int[] {0, 1}, trainer);
        }
    }

    @Test
    void adamIsThatOfThePaperUnlessSet() {
        assertEquals(new Adam(.1, .9, .999, 1e-8, 0, false), Optimizer.adam(.1));
        assertEquals(new Adam(.1, .9, .999, 1e-8, .01, true), Optimizer.adamW(.1, .01));
        Trainer unset = Trainer.builder().build();
        assertEquals("" + Optimizer.adam(.001), unset.settings().get("optimizer"));
    }

    @Test
    void adamNeedsAnEpsilon() {
        refused("epsilon", () -> new Adam(0.1, 0.9, 0.999, 0, 0, false));
        refused("epsilon", () -> new Adam(0.1, 0.9, 0.999, 1e-46, 0, false)); // 0 in float32
    }
}
