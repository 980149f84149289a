package dev.elman.cli;

import dev.elman.backend.OutOfDeviceMemoryException;
import dev.elman.text.TextPreprocessing;
import dev.elman.train.TextClassifier;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** What a classifier says of texts, and what there is to remark on them, once. */
final class Labeller {
    static final String NO_TEXTS = "there are no texts: name some, or send lines to the standard input";

    /** Lines that are answered together, so that a long input is answered while it is read. */
    private static final int MOST_TOGETHER = 1024;

    private final Terminal terminal;
    private final Path file;
    private final TextClassifier model;
    private final Set<String> knownLabels;
    private final int best;

    /** Characters, each once. */
    private final Set<Integer> warnedOf = new HashSet<>();

    private boolean toldOfLabels;

    /**
     * Asks a model.
     *
     * @param file that it was read from
     * @param best how many labels a text gets
     */
    Labeller(Terminal terminal, Path file, TextClassifier model, int best) {
        this.terminal = terminal;
        this.file = file;
        this.model = model;
        this.knownLabels = LabelledTexts.known(model);
        this.best = best;
    }

    /** Labels texts, without the blanks at their ends, as train reads them. */
    List<Labelled> label(List<String> texts) {
        List<String> stripped = texts.stream().map(String::strip).toList();
        IntStream unknown = stripped.stream()
                .flatMapToInt(text -> model.unknownCharacters(text).codePoints())
                .filter(warnedOf::add);
        UnknownCharacters.warn(terminal, "predict", unknown, "answers all the same");
        return Labelled.by(model, stripped, best);
    }

    /**
     * Labels the lines that are there, then those that are there by then, and so on to the last.
     *
     * @throws UserException when there is none, or one is no text or cannot be read; those before it are labelled
     */
    void labelLines(TextLines lines, Consumer<List<Labelled>> taker) {
        List<String> some = lines.some(MOST_TOGETHER);
        if (some.isEmpty()) throw new UserException(NO_TEXTS);
        // Whoever reads the answers may have gone.
        while (!some.isEmpty() && !terminal.out().checkError()) {
            tellOfLabels(some);
            try {
                taker.accept(label(some));
            } catch (IllegalArgumentException | OutOfDeviceMemoryException | OutOfMemoryError e) {
                // One of them is too long, perhaps for the device; none before it is to be lost for that.
                int before = lines.number() - some.size();
                for (int i = 0; i < some.size(); i++) taker.accept(labelLine(some.get(i), before + i + 1));
            }
            some = lines.some(MOST_TOGETHER);
        }
    }

    private List<Labelled> labelLine(String text, int number) {
        try {
            return label(List.of(text));
        } catch (IllegalArgumentException | OutOfDeviceMemoryException | OutOfMemoryError e) {
            throw new UserException("standard input: line " + number + ", of " + text.length() + " characters: "
                    + Failures.describe(e));
        }
    }

    private void tellOfLabels(List<String> lines) {
        if (toldOfLabels || !lines.stream().allMatch(this::isLabelled)) return;
        toldOfLabels = true;
        terminal.err()
                .println("elman predict: the lines have labels, which are read as part of the texts. "
                        + Shell.elman("evaluate", file) + " FILE measures the model on such lines; to label their texts"
                        + " send these alone, as cut -f2- gives them.");
    }

    private boolean isLabelled(String line) {
        int tab = line.indexOf('\t');
        return tab > 0
                && knownLabels.contains(
                        TextPreprocessing.composed(line.substring(0, tab).strip()));
    }
}
