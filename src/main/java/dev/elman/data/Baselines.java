package dev.elman.data;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Answers that need no learning, and how any answer is counted. */
public final class Baselines {
    private Baselines() {}

    /** The share of the test examples that have the most frequent label of the training examples. */
    public static double majorityAccuracy(List<Example> train, List<Example> test) {
        requireExamples(train, "learn from");
        Map<String, Integer> counts = new TreeMap<>();
        train.forEach(example -> counts.merge(example.label(), 1, Integer::sum));
        String majority =
                Collections.max(counts.entrySet(), Map.Entry.comparingByValue()).getKey();
        return accuracy(test, example -> majority);
    }

    /** The share of the examples for which the answer is their label. */
    static double accuracy(List<Example> examples, Function<Example, String> answer) {
        requireExamples(examples, "measure with");
        long right = examples.stream()
                .filter(example -> example.label().equals(answer.apply(example)))
                .count();
        return (double) right / examples.size();
    }

    static void requireExamples(List<Example> examples, String use) {
        if (examples.isEmpty()) {
            throw new IllegalArgumentException(
                    "baseline: there must be examples to " + use + ", but the list is empty");
        }
    }
}
