package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.Evaluation;
import dev.elman.train.Metrics;
import dev.elman.train.TextClassifier;
import dev.elman.train.TextGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures a trained model. */
@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Measure a trained model on texts it has not learnt from.",
        description = {
            "",
            "FILE is as for train: for a classifier a label, a tab and a text on each line, for a language model a text,"
                    + " blank lines too; one that learnt with --shuffle-lines has never seen those."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  elman evaluate names.safetensors other-names.tsv",
            "  elman evaluate novel.safetensors another-novel.txt --json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_2, Failures.CODE_3})
final class EvaluateCommand implements Callable<Integer> {
    /** The most wrong labels that are listed for a true one. */
    private static final int MOST_MISTAKES = 3;

    @Parameters(index = "0", paramLabel = "MODEL", description = "A file that train or demo wrote.")
    private Path model;

    @Parameters(index = "1", paramLabel = "FILE", description = "The text or texts.")
    private Path file;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private BackendOption backends;

    private final Terminal terminal;

    EvaluateCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /**
     * What {@code --json} prints.
     *
     * @param count texts of a classifier, characters of a language model
     * @param loss in nats
     * @param baseline accuracy of the most frequent label alone; null for a language model
     * @param macroF1 the mean of all labels' F1; null for a language model
     * @param perplexity of a language model, else null
     * @param labels of a classifier, else null
     * @param recall of the texts that have a label, the share that was taken for it, null where there are none
     * @param precision of the texts that were taken for a label, the share that has it, null where there are none
     * @param confusion texts of label i that were taken for label j; null for a language model
     */
    @SuppressWarnings("ArrayRecordComponent") // to print, never compared
    record Result(
            String model,
            String backend,
            long count,
            double loss,
            double accuracy,
            Double baseline,
            Double macroF1,
            Double perplexity,
            List<String> labels,
            List<Double> recall,
            List<Double> precision,
            int[][] confusion) {}

    @Override
    public Integer call() throws IOException {
        TextTask.Kind kind = SavedModel.kind(model);
        TextFile text = TextFile.read(file);
        try (Backend backend = backends.choose().backend()) {
            Result result = kind == TextTask.Kind.generate ? writer(backend, text) : classifier(backend, text);
            if (json) Json.print(terminal.out(), result);
            else lines(result).forEach(terminal.out()::println);
        }
        return 0;
    }

    private Result classifier(Backend backend, TextFile file) throws IOException {
        try (TextClassifier classifier = TextClassifier.load(backend, model)) {
            List<String> known = classifier.labels();
            LabelledTexts texts = LabelledTexts.read(file).knownTo(classifier, file);
            warnOf(texts.texts().stream()
                    .flatMapToInt(one -> classifier.unknownCharacters(one).codePoints()));
            Evaluation found = classifier.evaluate(texts.texts(), texts.labels());
            Scores scores = new Scores(found.confusion());
            return new Result(
                    model.toString(),
                    backend.name(),
                    texts.texts().size(),
                    found.loss(),
                    found.accuracy(),
                    texts.mostFrequent(),
                    scores.macroF1(),
                    null,
                    known,
                    scores.recall(),
                    scores.precision(),
                    found.confusion());
        }
    }

    private Result writer(Backend backend, TextFile file) throws IOException {
        try (TextGenerator generator = TextGenerator.load(backend, model)) {
            warnOf(generator.unknownCharacters(file.text()).codePoints());
            Metrics found = generator.evaluate(List.of(file.text()));
            return new Result(
                    model.toString(),
                    backend.name(),
                    found.count(),
                    found.loss(),
                    found.accuracy(),
                    null,
                    null,
                    found.perplexity(),
                    null,
                    null,
                    null,
                    null);
        }
    }

    private void warnOf(IntStream unknown) {
        UnknownCharacters.warn(terminal, "evaluate", unknown, "is measured all the same");
    }

    private static List<String> lines(Result result) {
        List<String> lines = new ArrayList<>();
        if (result.labels() == null) {
            lines.add(String.format(
                    Locale.ROOT,
                    "Perplexity on %,d characters: %s (as hard as a choice among so many characters)",
                    result.count(),
                    number("%.2f", result.perplexity())));
            lines.add(String.format(
                    Locale.ROOT, "The next character was the most probable one: %.3f", result.accuracy()));
            return lines;
        }
        lines.add(String.format(
                Locale.ROOT,
                "Accuracy on %,d texts: %.3f (the most frequent label alone: %.3f), macro F1 %.3f, loss %s",
                result.count(),
                result.accuracy(),
                result.baseline(),
                result.macroF1(),
                number("%.3f", result.loss())));
        Table table = new Table(1, 4).row("label", "texts", "right", "precision", "taken for");
        for (int k = 0; k < result.labels().size(); k++) {
            int[] row = result.confusion()[k];
            int count = Arrays.stream(row).sum();
            if (count == 0) continue;
            table.row(
                    result.labels().get(k),
                    "" + count,
                    share(result.recall().get(k)),
                    share(result.precision().get(k)),
                    mistakes(result.labels(), row, k));
        }
        lines.addAll(table.lines("  "));
        return lines;
    }

    private static String share(Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, "%.3f", value);
    }

    private static String number(String format, double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "no number";
    }

    /** As in "fr 3, it 1". */
    private static String mistakes(List<String> labels, int[] row, int right) {
        return IntStream.range(0, row.length)
                .filter(k -> k != right && row[k] > 0)
                .boxed()
                .sorted((a, b) -> row[b] - row[a])
                .limit(MOST_MISTAKES)
                .map(k -> labels.get(k) + " " + row[k])
                .collect(Collectors.joining(", "));
    }
}
