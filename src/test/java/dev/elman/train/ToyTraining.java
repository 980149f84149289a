package dev.elman.train;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import java.util.Arrays;
import java.util.List;

/** A short training on rows of {@link ToyData}, with dropout and in both directions, and the weights that it gives. */
final class ToyTraining {
    static final int ROWS = 101; // the short batch has fewer rows than there are workers
    static final ToyData DATA = new ToyData(ROWS, 1);

    private ToyTraining() {}

    static Trainer.Builder trainer() {
        return ToyData.trainer().epochs(3).batchSize(14).clipValue(0.5);
    }

    static ClassifierConfig.Builder config() {
        return ToyData.config().inputDropout(0.2).dropout(0.3).bidirectional(true);
    }

    static TrainingData data() {
        return TrainingData.of(SequenceInput.tokens(DATA.ids), DATA.labels);
    }

    static TrainingData weighted(float[] weights) {
        return new TrainingData(SequenceInput.tokens(DATA.ids), DATA.labels, weights);
    }

    /** The rows at these places. */
    static TrainingData rows(int[] rows) {
        return TrainingData.of(
                SequenceInput.tokens(
                        Arrays.stream(rows).mapToObj(row -> DATA.ids[row]).toArray(int[][]::new)),
                Arrays.stream(rows).map(row -> DATA.labels[row]).toArray());
    }

    /** The weights after a fit on a backend of its own. */
    static double[] fit(TrainingData data, Trainer trainer, Team team, Checkpoints checkpoints) {
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build())) {
            model.fit(data, trainer, team, checkpoints);
            return model.weights().flat().toDoubles();
        }
    }

    static double[] fit(TrainingData data, Trainer trainer) {
        return fit(data, trainer, Team.alone(), Checkpoints.none());
    }

    static List<EpochResult> withoutTimes(History history) {
        return history.epochs().stream()
                .map(result -> new EpochResult(
                        result.epoch(),
                        result.loss(),
                        result.accuracy(),
                        result.validationLoss(),
                        result.validationAccuracy(),
                        result.gradientNorm(),
                        result.learningRate(),
                        0))
                .toList();
    }
}
