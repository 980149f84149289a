package dev.elman.data;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * The baseline that a network has to beat: multinomial naive Bayes over the character n-grams of a text, with ^ before and
 * $ after it.
 *
 * <p>The predicted label has the largest log P(label) + sum over n-grams of log P(n-gram | label), where P(n-gram | label) =
 * (count + α) / (all counts of the label + α V), α = 0.3 and V is the number of distinct n-grams seen in training (Manning,
 * Raghavan and Schütze, <a href="https://nlp.stanford.edu/IR-book/html/htmledition/naive-bayes-text-classification-1.html">
 * Introduction to Information Retrieval</a>, section 13.2). N-grams never seen in training are left out of the sum.
 */
public final class NgramNaiveBayes {
    private static final double ALPHA = 0.3;

    private final int n;
    private final Map<String, LabelCounts> labels = new TreeMap<>();
    private final Set<String> vocabulary = new HashSet<>();

    private NgramNaiveBayes(int n) {
        this.n = n;
    }

    private static final class LabelCounts {
        private final Map<String, Integer> ngrams = new HashMap<>();
        private int texts;
        private int total;
    }

    /**
     * Counts the n-grams of the examples.
     *
     * @param n code points per n-gram; 2 or 3 serve best for names
     */
    public static NgramNaiveBayes train(List<Example> examples, int n) {
        Baselines.requireExamples(examples, "learn from");
        if (n < 1) {
            throw new IllegalArgumentException("naive Bayes: an n-gram has at least 1 character, but n is " + n);
        }
        NgramNaiveBayes model = new NgramNaiveBayes(n);
        examples.forEach(model::count);
        return model;
    }

    private void count(Example example) {
        LabelCounts counts = labels.computeIfAbsent(example.label(), label -> new LabelCounts());
        counts.texts++;
        for (String ngram : ngrams(example.text(), n)) {
            counts.ngrams.merge(ngram, 1, Integer::sum);
            counts.total++;
            vocabulary.add(ngram);
        }
    }

    /** The most probable label; among equals the first in alphabetical order. */
    public String predict(String text) {
        return Collections.max(scores(text).entrySet(), Map.Entry.comparingByValue())
                .getKey();
    }

    /** For each label, in alphabetical order, log P(label and text) up to a constant that all labels share. */
    Map<String, Double> scores(String text) {
        Objects.requireNonNull(text, "text"); // else it would read as the word "null"
        List<String> known =
                ngrams(text, n).stream().filter(vocabulary::contains).toList();
        Map<String, Double> scores = new TreeMap<>();
        labels.forEach((label, counts) -> {
            double score = Math.log(counts.texts);
            for (String ngram : known) {
                double smoothed = counts.ngrams.getOrDefault(ngram, 0) + ALPHA;
                score += Math.log(smoothed / (counts.total + ALPHA * vocabulary.size()));
            }
            scores.put(label, score);
        });
        return scores;
    }

    /** The share of the examples whose label is predicted. */
    public double accuracy(List<Example> examples) {
        return Baselines.accuracy(examples, example -> predict(example.text()));
    }

    static List<String> ngrams(String text, int n) {
        int[] codePoints = ("^" + text + "$").codePoints().toArray();
        List<String> ngrams = new ArrayList<>();
        for (int start = 0; start + n <= codePoints.length; start++) {
            ngrams.add(new String(codePoints, start, n));
        }
        return ngrams;
    }
}
