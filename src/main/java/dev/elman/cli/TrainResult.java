package dev.elman.cli;

import dev.elman.train.EpochResult;
import dev.elman.train.History;

/**
 * What a training came to; with {@code --json} all that is printed. Figures are those of the epoch whose weights were
 * kept, null where there are none.
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
        Double loss,
        Double accuracy,
        Double validationLoss,
        Double validationAccuracy,
        Double perplexity,
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
        Double perplexity = labels == null ? Json.number(Math.exp(kept.validationLoss())) : null;
        return new TrainResult(
                task.name(),
                backend,
                texts,
                labels,
                history.epochs().size(),
                history.bestEpoch(),
                Json.number(kept.loss()),
                Json.number(kept.accuracy()),
                Json.number(kept.validationLoss()),
                Json.number(kept.validationAccuracy()),
                perplexity,
                seconds,
                file);
    }
}
