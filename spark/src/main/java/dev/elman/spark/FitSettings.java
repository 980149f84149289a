package dev.elman.spark;

import dev.elman.train.Callback;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.LearningRateSchedule;
import dev.elman.train.Optimizer;
import dev.elman.train.SequenceInput;
import dev.elman.train.Trainer;
import dev.elman.train.TrainingData;
import java.io.Serializable;
import java.util.List;

/**
 * A fit as its workers are told of it.
 *
 * @param vocabulary V; 0 when the input is vectors
 * @param inputSize D, of the embedding or of the vectors
 * @param batchSize rows of a worker
 * @param rows of the whole table
 */
record FitSettings(
        int vocabulary,
        int inputSize,
        int hiddenSize,
        int classes,
        boolean bidirectional,
        double inputDropout,
        double dropout,
        long seed,
        int epochs,
        String optimizer,
        double stepSize,
        double clipNorm,
        int batchSize,
        int workers,
        boolean weighted,
        int rows)
        implements Serializable {
    static final String ADAM = "adam";
    static final String SGD = "sgd";

    boolean tokens() {
        return vocabulary > 0;
    }

    ClassifierConfig config() {
        ClassifierConfig.Builder builder = tokens()
                ? ClassifierConfig.tokens(vocabulary, classes).embeddingSize(inputSize)
                : ClassifierConfig.features(inputSize, classes);
        return builder.hiddenSize(hiddenSize)
                .bidirectional(bidirectional)
                .inputDropout(inputDropout)
                .dropout(dropout)
                .seed(seed)
                .build();
    }

    /** A trainer of batches for all workers together. */
    Trainer trainer(Callback callback) {
        return Trainer.builder()
                .epochs(epochs)
                .batchSize(Math.multiplyExact(batchSize, workers))
                .optimizer(optimizer.equals(SGD) ? Optimizer.sgd(stepSize) : Optimizer.adam(stepSize))
                .schedule(LearningRateSchedule.constant())
                .clipNorm(clipNorm == 0 ? Double.POSITIVE_INFINITY : clipNorm)
                .seed(seed)
                .callback(callback)
                .build();
    }

    int batches() {
        int together = Math.multiplyExact(batchSize, workers);
        return (int) (((long) rows + together - 1) / together);
    }

    /** Rows as the core takes them. */
    TrainingData data(List<byte[]> some) {
        int[] labels = some.stream().mapToInt(RowBytes::label).toArray();
        float[] weights = weighted ? new float[labels.length] : null;
        for (int n = 0; weighted && n < weights.length; n++) weights[n] = RowBytes.weight(some.get(n));
        return new TrainingData(input(some, tokens()), labels, weights);
    }

    static SequenceInput input(List<byte[]> rows, boolean tokens) {
        return tokens
                ? SequenceInput.tokens(rows.stream().map(RowBytes::tokens).toArray(int[][]::new))
                : SequenceInput.features(rows.stream().map(RowBytes::steps).toArray(float[][][]::new));
    }
}
