package dev.elman.cli;

import dev.elman.train.TextClassifier;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** A text and its most probable labels, the best first; of equally probable ones the first in the alphabet. */
record Labelled(String text, List<Label> labels) {
    /** A label and how probable the model finds it; NaN after an overflow. */
    record Label(String label, double probability) {
        private String probability(String format) {
            return String.format(Locale.ROOT, format, probability);
        }
    }

    /** What a model says of some texts. */
    static List<Labelled> by(TextClassifier model, List<String> texts, int most) {
        return by(model, texts, model.predictProba(texts), most);
    }

    /** The same where the model was asked already. */
    static List<Labelled> by(TextClassifier model, List<String> texts, float[][] probabilities, int most) {
        List<Labelled> answers = new ArrayList<>();
        for (int n = 0; n < texts.size(); n++) {
            float[] row = probabilities[n];
            List<Label> labels = IntStream.range(0, row.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble(k -> -row[k]))
                    .limit(most)
                    .map(k -> new Label(model.labels().get(k), row[k]))
                    .toList();
            answers.add(new Labelled(texts.get(n), labels));
        }
        return answers;
    }

    /** A row of a table, with this for the text. */
    String[] cells(String shown) {
        List<String> cells = new ArrayList<>(List.of(shown));
        for (Label label : labels) {
            cells.add(label.label());
            cells.add(label.probability("%.3f"));
        }
        return cells.toArray(new String[0]);
    }

    /** A line for programs: label and probability, the next ones, and last the text, in which a tab does no harm there. */
    String tsv() {
        StringBuilder line = new StringBuilder();
        for (Label label : labels) {
            line.append(label.label())
                    .append('\t')
                    .append(label.probability("%.6f"))
                    .append('\t');
        }
        return line + text.replaceAll("[\\r\\n]+", " ");
    }
}
