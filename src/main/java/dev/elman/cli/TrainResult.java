package dev.elman.cli;

import dev.elman.train.EpochResult;
import dev.elman.train.History;

/**
 * What a training came to; with {@code --json} all that is printed. Figures are those of the epoch whose weights were
 * kept, NaN where there are none.
 *
 * @param texts number of texts, held back ones too; 1 for a running text
 * @param labels number of labels; null for a generator
 * @param epochs how many were run
 * @param bestEpoch whose weights were kept
 * @param perplexity of a generator on what was held back
 * @param file the model
 */
record TrainResult(
        String task,
        String backend,
        int texts,
        Integer labels,
        int epochs,
        int bestEpoch,
        double loss,
        double accuracy,
        double validationLoss,
        double validationAccuracy,
        double perplexity,
        double seconds,
        String file) {

    static TrainResult of(
            TextTask.Kind task,
            String backend,
            int texts,
            Integer labels,
            History history,
            double seconds,
            String file) {
        EpochResult kept = history.epochs().get(history.bestEpoch() - 1);
        double perplexity = labels == null ? Math.exp(kept.validationLoss()) : Double.NaN;
        return new TrainResult(
                task.name(),
                backend,
                texts,
                labels,
                history.epochs().size(),
                history.bestEpoch(),
                kept.loss(),
                kept.accuracy(),
                kept.validationLoss(),
                kept.validationAccuracy(),
                perplexity,
                seconds,
                file);
    }
}
