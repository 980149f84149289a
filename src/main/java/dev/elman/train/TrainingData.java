package dev.elman.train;

import java.util.Objects;

/**
 * What a classifier learns from. Loss and accuracy, of the rows held back for validation too, are means in which a row
 * counts as much as its weight says.
 *
 * @param labels class of each row
 * @param weights of the rows (Keras's sample_weight), at least 0, or null when all count the same
 */
@SuppressWarnings("ArrayRecordComponent") // views of the caller's arrays, never compared
public record TrainingData(SequenceInput input, int[] labels, float[] weights) {
    /** Checks that there is one label and one weight a row. */
    public TrainingData {
        Objects.requireNonNull(input, "input");
        Objects.requireNonNull(labels, "labels");
        if (labels.length != input.rows()) {
            throw new IllegalArgumentException("There must be one label a row, but there are " + labels.length
                    + " labels for " + input.rows() + " rows.");
        }
        if (weights != null && weights.length != input.rows()) {
            throw new IllegalArgumentException("There must be one weight a row, but there are " + weights.length
                    + " weights for " + input.rows() + " rows.");
        }
        for (int n = 0; weights != null && n < weights.length; n++) {
            if (!(weights[n] >= 0 && weights[n] < Float.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "Weights must be at least 0 and finite, but row " + n + " has " + weights[n] + ".");
            }
        }
    }

    /** Rows that all count the same. */
    public static TrainingData of(SequenceInput input, int[] labels) {
        return new TrainingData(input, labels, null);
    }

    /** Of one row. */
    float weight(int row) {
        return weights == null ? 1 : weights[row];
    }

    /** Of some rows together. */
    double weight(int[] rows) {
        if (weights == null) return rows.length;
        double sum = 0;
        for (int row : rows) sum += weights[row];
        return sum;
    }
}
