package dev.elman.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * What a confusion matrix says of each label, in their order; null where it says nothing.
 *
 * @param confusion texts of label i that were taken for label j
 */
@SuppressWarnings("ArrayRecordComponent") // to compute with, never compared
record Scores(int[][] confusion) {
    /** Of the texts that have a label, the share that was taken for it. */
    List<Double> recall() {
        return each(k -> share(confusion[k][k], has(k)));
    }

    /** Of the texts that were taken for a label, the share that has it. */
    List<Double> precision() {
        return each(k -> share(confusion[k][k], takenFor(k)));
    }

    /** The mean of F1, 2 TP / (2 TP + FP + FN), over the labels that some text has or was taken for. */
    double macroF1() {
        return each(k -> share(2 * confusion[k][k], has(k) + takenFor(k))).stream()
                .filter(Objects::nonNull)
                .mapToDouble(Double::doubleValue)
                .average()
                .orElse(Double.NaN);
    }

    private int has(int k) {
        return Arrays.stream(confusion[k]).sum();
    }

    private int takenFor(int k) {
        return Arrays.stream(confusion).mapToInt(row -> row[k]).sum();
    }

    private static Double share(int part, int whole) {
        return whole == 0 ? null : (double) part / whole;
    }

    private List<Double> each(IntFunction<Double> score) {
        return Arrays.asList(
                IntStream.range(0, confusion.length).mapToObj(score).toArray(Double[]::new));
    }
}
