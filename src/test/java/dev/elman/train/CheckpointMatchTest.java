package dev.elman.train;

import static dev.elman.train.Refusals.refused;
import static dev.elman.train.ToyTraining.DATA;
import static dev.elman.train.ToyTraining.ROWS;
import static dev.elman.train.ToyTraining.config;
import static dev.elman.train.ToyTraining.data;
import static dev.elman.train.ToyTraining.fit;
import static dev.elman.train.ToyTraining.rows;
import static dev.elman.train.ToyTraining.trainer;
import static dev.elman.train.ToyTraining.weighted;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.Constraint;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training goes on from no checkpoint of another one, and says what differs. */
class CheckpointMatchTest {
    /** Though all that it says of itself is this training's. */
    @Test
    void aCheckpointOfOtherTensorsIsRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        SafeTensors good = SafeTensors.read(file);
        int size = good.tensors().get("weights").doubles().length;
        otherTensor("lastGood", null, "it has [weights, ", file, good);
        otherTensor("more", new double[1], "it has [weights, ", file, good);
        String numbers = " numbers, but this model has " + size + ". Remove the file";
        otherTensor("weights", new double[size - 1], "weights has " + (size - 1) + numbers, file, good);
        otherTensor("moment.1", new double[size + 1], "moment.1 has " + (size + 1) + numbers, file, good);
    }

    private static void otherTensor(String name, double[] values, String part, Path file, SafeTensors good)
            throws IOException {
        Map<String, NdArray> tensors = new LinkedHashMap<>(good.tensors());
        tensors.put(name, values == null ? null : NdArray.ofDoubles(values, values.length));
        tensors.values().removeIf(Objects::isNull);
        new SafeTensors(tensors, good.metadata()).write(file);
        refused(
                file + " is of another training: " + part,
                () -> fit(data(), trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file)));
    }

    @Test
    void aCheckpointOfAnotherTrainingIsRefusedByWhatDiffers(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(2).build(), Team.alone(), Checkpoints.in(file));
        another("optimizer was Adam[", data(), trainer().optimizer(Optimizer.sgd(0.1)), file);
        another("batchSize was 14, but is 15", data(), trainer().batchSize(15), file);
        another("clipNorm was 5.0, but is 1.0", data(), trainer().clipNorm(1), file);
        another("clipValue was 0.5, but is 2.0", data(), trainer().clipValue(2), file);
        another("validationSplit was 0.0, but is 0.1", data(), trainer().validationSplit(0.1), file);
        another("seed was 3, but is 4", data(), trainer().seed(4), file);
        another(
                "regularizers was {}, but is {KERNEL=Regularizer[l1=0.0, l2=0.1]}",
                data(),
                trainer().regularizer(WeightKind.KERNEL, Regularizer.l2(0.1)),
                file);
        another(
                "constraints was {}, but is {KERNEL=",
                data(),
                trainer().constraint(WeightKind.KERNEL, Constraint.nonNegative()),
                file);
        another(
                "it is of the end of epoch 2, but this training has 1 epochs",
                data(),
                trainer().epochs(1),
                file);
        another(
                "its learning rates are for 2 epochs in all, and not for 3",
                data(),
                trainer().schedule(LearningRateSchedule.cosine()),
                file);
        int[] labels = DATA.labels.clone();
        labels[0] = (labels[0] + 1) % ToyData.CLASSES;
        another(
                "the labels are not those of then",
                TrainingData.of(SequenceInput.tokens(DATA.ids), labels),
                trainer(),
                file);
        int[][] ids = DATA.ids.clone();
        ids[0] = new int[9];
        another("the lengths are not those", TrainingData.of(SequenceInput.tokens(ids), DATA.labels), trainer(), file);
        ids[0] = new int[DATA.ids[0].length];
        another("the rows are not those", TrainingData.of(SequenceInput.tokens(ids), DATA.labels), trainer(), file);
        TrainingData exchanged = TrainingData.of(SequenceInput.tokens(exchanged()), DATA.labels);
        another("the rows are not those", exchanged, trainer(), file);
        float[] weights = new float[ROWS];
        weights[0] = 2;
        another("the weights are not those of then", weighted(weights), trainer(), file);
        another("number of rows was 101, but is 100", rows(Batches.range(100)), trainer(), file);
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model =
                        new SimpleRnnClassifier(backend, config().dropout(0.4).build())) {
            refused(
                    "is of another training: model dropout was 0.3, but is 0.4. Remove the file",
                    () -> model.fit(data(), trainer().build(), Team.alone(), Checkpoints.in(file)));
        }
    }

    @Test
    void aCheckpointWithOtherRowsToValidateOnIsRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        validated(rows(Batches.range(20)), file);
        refused(
                "another training: number of rows to validate on was 20, but is 21",
                () -> validated(rows(Batches.range(21)), file));
        another("number of rows to validate on was 20, but is none", data(), trainer(), file);
    }

    private static void validated(TrainingData validation, Path file) {
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build())) {
            model.fit(data(), validation, trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        }
    }

    @Test
    void aCheckpointOfOtherFeaturesIsRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        float[][][] x = DATA.features();
        ofFeatures(x, file);
        x[3][1][0] = 0.5f;
        refused("another training: the rows are not those", () -> ofFeatures(x, file));
    }

    private static void ofFeatures(float[][][] x, Path file) {
        ClassifierConfig config =
                ClassifierConfig.features(ToyData.VOCABULARY, ToyData.CLASSES).build();
        TrainingData data = TrainingData.of(SequenceInput.features(x), DATA.labels);
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            model.fit(data, trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        }
    }

    /** The end of one row and the last but one of the next have changed places, which Arrays.deepHashCode does not see. */
    private static int[][] exchanged() {
        int[][] ids = Arrays.stream(DATA.ids).map(int[]::clone).toArray(int[][]::new);
        for (int n = 0; ; n++) {
            int end = ids[n].length - 1;
            int lastButOne = ids[n + 1].length - 2;
            int id = ids[n][end];
            if (id == ids[n + 1][lastButOne]) continue;
            ids[n][end] = ids[n + 1][lastButOne];
            ids[n + 1][lastButOne] = id;
            return ids;
        }
    }

    private static void another(String part, TrainingData data, Trainer.Builder trainer, Path file) {
        refused(
                "is of another training: " + part,
                () -> fit(data, trainer.build(), Team.alone(), Checkpoints.in(file)));
    }

    /** A schedule that may fall later is another one, though it has not fallen yet. */
    @Test
    void moreEpochsMayFollowWhereTheRatesStayTheSame(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(2).build(), Team.alone(), Checkpoints.in(file));
        LearningRateSchedule falling = LearningRateSchedule.stepDecay(0.5, 0.5);
        double[] on = fit(data(), trainer().epochs(4).build(), Team.alone(), Checkpoints.in(file));
        assertArrayEquals(fit(data(), trainer().epochs(4).build()), on);
        another(
                "the learning rate at the begin of epoch 3 of 4",
                data(),
                trainer().epochs(4).schedule(falling),
                file);
    }

    /** One that is over within the first epoch, but after another number of steps. */
    @Test
    void aWarmUpOfOtherStepsIsAnotherTraining(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        Trainer.Builder warmed =
                trainer().schedule(LearningRateSchedule.constant().withWarmup(0.2));
        fit(data(), warmed.epochs(2).build(), Team.alone(), Checkpoints.in(file));
        another("its learning rates are for 2 epochs in all, and not for 4", data(), warmed.epochs(4), file);
    }

    @Test
    void aCheckpointThatDoesNotSayOfWhichTrainingIsRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        SafeTensors written = SafeTensors.read(file);
        Map<String, NdArray> tensors = new LinkedHashMap<>(written.tensors());
        tensors.remove("rates");
        new SafeTensors(tensors, Map.of("elman.kind", "checkpoint")).write(file);
        another("it does not say of which", data(), trainer(), file);
    }
}
