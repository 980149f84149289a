package dev.elman.cli;

import dev.elman.data.Baselines;
import dev.elman.data.Example;
import dev.elman.data.LanguageNames;
import dev.elman.data.NgramNaiveBayes;
import dev.elman.data.Split;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * The built-in names, cut in three so that no concept is on two sides.
 *
 * @param train what the network learns from
 * @param validation what the curve is drawn from
 * @param test what all are measured with
 */
record DemoData(List<Example> train, List<Example> validation, List<Example> test) {
    private static final double VALIDATION_SHARE = 0.05;

    /**
     * Reads the names from the JDK.
     *
     * @param mostRows as many rows are chosen by the seed
     * @throws dev.elman.data.MissingLocaleDataException when this runtime has none
     */
    static DemoData load(long seed, int mostRows) {
        LanguageNames names = LanguageNames.load();
        List<Example> rows = new ArrayList<>(names.examples());
        if (rows.size() > mostRows) {
            Collections.shuffle(rows, new Random(seed));
            rows = rows.subList(0, mostRows);
        }
        Split test = names.split(rows, LanguageNames.TEST_SHARE, seed);
        Split validation = names.split(test.train(), VALIDATION_SHARE, seed);
        return new DemoData(validation.train(), validation.test(), test.test());
    }

    int rows() {
        return train.size() + validation.size() + test.size();
    }

    /** What does without a network, weakest first; they count what the network validates with, too. */
    List<Score> baselines() {
        List<Example> seen = new ArrayList<>(train);
        seen.addAll(validation);
        return List.of(
                new Score("most frequent language", Baselines.majorityAccuracy(seen, test)),
                new Score("bigram naive Bayes", NgramNaiveBayes.train(seen, 2).accuracy(test)),
                new Score("trigram naive Bayes", NgramNaiveBayes.train(seen, 3).accuracy(test)));
    }

    static List<String> texts(List<Example> examples) {
        return examples.stream().map(Example::text).toList();
    }

    static List<String> labels(List<Example> examples) {
        return examples.stream().map(Example::label).toList();
    }

    /** Somebody's share of right answers on the test side. */
    record Score(String name, double accuracy) {}
}
