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
    /** Of the labels that texts of one label were taken for. */
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
     * @param perplexity of a language model, else null
     * @param labels of a classifier, else null
     * @param confusion texts of label i that were taken for label j; null for a language model
     */
    @SuppressWarnings("ArrayRecordComponent") // to print, never compared
    record Result(
            String model,
            String backend,
            long count,
            Double loss,
            double accuracy,
            Double perplexity,
            List<String> labels,
            int[][] confusion) {}

    @Override
    public Integer call() throws IOException {
        TextTask.Kind kind = SavedModel.kind(model);
        TextFile text = TextFile.read(file);
        LabelledTexts texts = kind == TextTask.Kind.classify ? LabelledTexts.read(text) : null;
        try (Backend backend = backends.choose().backend()) {
            Result result = texts == null ? writer(backend, text) : classifier(backend, text, texts);
            if (json) Json.print(terminal.out(), result);
            else lines(result).forEach(terminal.out()::println);
            terminal.out().flush();
        }
        return 0;
    }

    private Result classifier(Backend backend, TextFile file, LabelledTexts texts) throws IOException {
        try (TextClassifier classifier = TextClassifier.load(backend, model)) {
            List<String> known = classifier.labels();
            for (int n = 0; n < texts.labels().size(); n++) {
                if (known.contains(texts.labels().get(n))) continue;
                throw new UserException(
                        file.file() + ": line " + file.filled().get(n).number() + " has the label \""
                                + texts.labels().get(n) + "\", which the model does not know; it knows "
                                + Words.some(known, 8));
            }
            warnOf(texts.texts().stream()
                    .flatMapToInt(one -> classifier.unknownCharacters(one).codePoints()));
            Evaluation found = classifier.evaluate(texts.texts(), texts.labels());
            return new Result(
                    model.toString(),
                    backend.name(),
                    texts.texts().size(),
                    Json.number(found.loss()),
                    found.accuracy(),
                    null,
                    known,
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
                    Json.number(found.loss()),
                    found.accuracy(),
                    Json.number(found.perplexity()),
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
                "Accuracy on %,d texts: %.3f, loss %s",
                result.count(),
                result.accuracy(),
                number("%.3f", result.loss())));
        Table table = new Table(1, 3).row("label", "texts", "right", "taken for");
        for (int k = 0; k < result.labels().size(); k++) {
            int[] row = result.confusion()[k];
            int count = Arrays.stream(row).sum();
            if (count == 0) continue;
            String right = String.format(Locale.ROOT, "%.3f", (double) row[k] / count);
            table.row(result.labels().get(k), "" + count, right, mistakes(result.labels(), row, k));
        }
        lines.addAll(table.lines("  "));
        return lines;
    }

    private static String number(String format, Double value) {
        return value == null ? "no number" : String.format(Locale.ROOT, format, value);
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
