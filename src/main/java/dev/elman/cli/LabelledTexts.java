package dev.elman.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Texts with their labels, from lines {@code label<TAB>text}.
 *
 * @param labels of each text
 */
record LabelledTexts(List<String> texts, List<String> labels) {
    /**
     * Reads the lines of a file to learn from.
     *
     * @throws UserException as {@link #read}, or when there are fewer than two labels
     */
    static LabelledTexts of(TextFile file) {
        LabelledTexts all = read(file);
        if (all.names().size() < 2) {
            throw new UserException(file.file() + ": every line has the label \""
                    + all.labels().get(0) + "\"; a classifier needs texts with at least two different labels");
        }
        return all;
    }

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

    /** The different labels, sorted. */
    List<String> names() {
        return List.copyOf(new TreeSet<>(labels));
    }

    private static UserException wrong(TextFile file, TextFile.Line line, String what) {
        return new UserException(file.file() + ": line " + line.number() + " " + what);
    }
}
