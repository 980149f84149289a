package dev.elman.cli;

import dev.elman.text.TextPreprocessing;
import dev.elman.train.TextClassifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Texts with their labels, from lines {@code label<TAB>text}.
 *
 * @param labels of each text
 */
record LabelledTexts(List<String> texts, List<String> labels) {
    /** Of fewer texts any may be the only one with its label. */
    private static final int MANY = 20;
    /** Labels that a sentence lists. */
    private static final int SHOWN = 8;

    /**
     * Reads the lines of a file that are not blank.
     *
     * @throws UserException when a line is not of this form
     */
    static LabelledTexts read(TextFile file) {
        List<String> texts = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        for (TextFile.Line line : file.filled()) {
            int tab = line.text().indexOf('\t');
            if (tab < 0) throw wrong(file, line, "has no tab; each line must be a label, a tab and a text");
            String label = line.text().substring(0, tab).strip();
            String text = line.text().substring(tab + 1).strip();
            if (label.isEmpty()) throw wrong(file, line, "has no label before its tab");
            if (text.isEmpty()) throw wrong(file, line, "has no text after its tab");
            labels.add(label);
            texts.add(text);
        }
        return new LabelledTexts(texts, labels);
    }

    /** Throws {@link UserException} when these texts, read from that file, all have one label: they teach nothing. */
    void requireTwoLabels(TextFile file) {
        if (differentLabels() < 2) {
            throw new UserException(file.file() + ": every line has the label \"" + labels.get(0)
                    + "\"; a classifier needs texts with at least two different labels");
        }
    }

    /**
     * These texts, read from that file, once a model knows all their labels.
     *
     * @throws UserException when it does not know one, naming the line
     */
    LabelledTexts knownTo(TextClassifier model, TextFile file) {
        Set<String> known = known(model);
        for (int n = 0; n < labels.size(); n++) {
            if (known.contains(labels.get(n))) continue;
            throw wrong(
                    file,
                    file.filled().get(n),
                    "has the label \"" + labels.get(n) + "\", which the model does not know; it knows "
                            + someLabels(model));
        }
        return this;
    }

    /** The labels of a model, composed: an older one has them as its texts' file had them. */
    static Set<String> known(TextClassifier model) {
        return model.labels().stream().map(TextPreprocessing::composed).collect(Collectors.toSet());
    }

    /** The first labels of a model, and how many more there are. */
    static String someLabels(TextClassifier model) {
        List<String> labels = model.labels();
        String first = String.join(", ", labels.subList(0, Math.min(SHOWN, labels.size())));
        return labels.size() <= SHOWN ? first : first + " and " + (labels.size() - SHOWN) + " more";
    }

    /** What may be a mistake in the file, one sentence each. */
    List<String> doubts() {
        if (texts.size() >= MANY && 2 * differentLabels() > texts.size()) {
            return List.of(String.format(
                    Locale.ROOT,
                    "there are %,d labels for %,d texts; the label comes first on a line: are the columns in the other"
                            + " order?",
                    differentLabels(),
                    texts.size()));
        }
        String first = labels.get(0);
        if (texts.size() > MANY && Collections.frequency(labels, first) == 1) {
            return List.of(
                    "the first line is the only one with the label \"" + first + "\"; if it is a header, remove it.");
        }
        return List.of();
    }

    /** The share of texts that has the most frequent label. */
    double mostFrequent() {
        Map<String, Integer> counts = new HashMap<>();
        labels.forEach(label -> counts.merge(label, 1, Integer::sum));
        return (double) Collections.max(counts.values()) / labels.size();
    }

    private int differentLabels() {
        return Set.copyOf(labels).size();
    }

    private static UserException wrong(TextFile file, TextFile.Line line, String what) {
        return new UserException(file.file() + ": line " + line.number() + " " + what);
    }
}
