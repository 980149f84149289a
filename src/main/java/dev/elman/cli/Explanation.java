package dev.elman.cli;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How a classifier's answer grows while a text does; see {@link dev.elman.train.TextClassifier#predictPrefixes}.
 *
 * @param labels K names
 * @param probabilities [T,K]
 */
@SuppressWarnings("ArrayRecordComponent") // a result to draw, never compared
record Explanation(String text, List<String> labels, float[][] probabilities) {
    /** The characters, one a step. */
    List<String> steps() {
        return text.codePoints().mapToObj(Character::toString).toList();
    }

    /** The labels worth showing: first the answer, then those that came closest to it at some step; all if they are few. */
    List<Integer> shown(int most) {
        float[] last = probabilities[probabilities.length - 1];
        int answer = IntStream.range(0, last.length)
                .boxed()
                .max(Comparator.comparingDouble((Integer k) -> last[k]).thenComparing(Comparator.reverseOrder()))
                .orElseThrow();
        Stream<Integer> others = IntStream.range(0, labels.size())
                .filter(k -> k != answer)
                .boxed()
                .sorted(Comparator.comparingDouble(k -> -peak(k)))
                .limit(most - 1L)
                .sorted();
        return Stream.concat(Stream.of(answer), others).toList();
    }

    private double peak(int label) {
        double peak = 0;
        for (float[] step : probabilities) peak = Math.max(peak, step[label]);
        return peak;
    }
}
