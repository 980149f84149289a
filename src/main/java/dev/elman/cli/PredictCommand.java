package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.TextClassifier;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Asks a trained classifier. */
@Command(
        name = "predict",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Label texts with a trained classifier.",
        description = {"", "The texts are those on the command line, or the lines of the standard input in UTF-8."},
        footerHeading = "%nExample:%n",
        footer = {
            "  elman predict names.safetensors \"new zealand\" \"wielka brytania\"",
            "  elman predict names.safetensors \"wielka brytania\" --explain brytania.png"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_2, Failures.CODE_3})
final class PredictCommand implements Callable<Integer> {
    /** Each takes a reading of its own. */
    private static final int LONGEST_EXPLAINED = 400;

    private static final int LONGEST_CELL = 48;

    @Parameters(index = "0", paramLabel = "MODEL", description = "A file that train or demo wrote.")
    private Path file;

    @Parameters(index = "1..*", paramLabel = "TEXT", description = "Texts to be labelled.")
    private List<String> texts;

    @Option(
            names = {"-k", "--k"},
            paramLabel = "N",
            description = "How many labels a text gets, the most probable ones (default: ${DEFAULT-VALUE}).")
    private int best = 3;

    @Option(
            names = "--explain",
            paramLabel = "PNG",
            description =
                    "Show how the answer grows, as lines and as a picture in this file: what the model says of the"
                            + " text's first character alone, of the first two, and so on to the whole of it. For one text.")
    private Path picture;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private BackendOption backends;

    private final Terminal terminal;

    PredictCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /** A label and how probable the model finds it. */
    record Label(String label, double probability) {}

    /** A text and its most probable labels. */
    record Labelled(String text, List<Label> labels) {}

    /** What {@code --json} prints; {@code steps} are what {@code --explain} shows, null without it. */
    record Predictions(String model, String backend, List<Labelled> predictions, List<Labelled> steps) {}

    @Override
    public Integer call() throws IOException {
        if (best < 1) throw new UserException("--k must be at least 1, but is " + best);
        if (picture != null) requirePicture();
        SavedModel.require(TextTask.Kind.classify, file);
        List<String> asked = asked();
        if (picture != null) requireExplainable(asked);
        try (Backend backend = backends.choose().backend();
                TextClassifier model = TextClassifier.load(backend, file)) {
            IntStream unknown = asked.stream()
                    .flatMapToInt(text -> model.unknownCharacters(text).codePoints());
            UnknownCharacters.warn(terminal, "predict", unknown, "answers all the same");
            List<Labelled> answers = label(model, asked, best);
            if (picture == null) {
                print(new Predictions(file.toString(), backend.name(), answers, null));
            } else {
                String text = asked.get(0);
                float[][] probabilities = model.predictPrefixes(text);
                List<Labelled> steps = label(model, TextClassifier.prefixes(text), probabilities, best);
                print(new Predictions(file.toString(), backend.name(), answers, steps));
                draw(new Explanation(text, model.labels(), probabilities));
            }
        }
        return 0;
    }

    private void print(Predictions predictions) {
        if (json) {
            Json.print(terminal.out(), predictions);
            return;
        }
        Table table = new Table(0, 0);
        List<Labelled> steps = predictions.steps();
        if (steps == null) predictions.predictions().forEach(answer -> table.row(cells(answer.text(), answer)));
        else steps.forEach(step -> table.row(cells(tail(step.text()), step)));
        table.lines("").forEach(terminal.out()::println);
        terminal.out().flush();
    }

    private void requirePicture() {
        if (!picture.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
            throw new UserException("--explain writes a PNG file, but " + picture + " does not end in .png");
        }
        OutputFiles.requireWritable(picture);
    }

    private static void requireExplainable(List<String> asked) {
        if (asked.size() > 1) throw new UserException("--explain is for one text, but there are " + asked.size());
        int length = asked.get(0).codePointCount(0, asked.get(0).length());
        if (length < 1 || length > LONGEST_EXPLAINED) {
            throw new UserException(
                    "--explain is for a text of 1 to " + LONGEST_EXPLAINED + " characters, but this one has " + length);
        }
    }

    private void draw(Explanation explanation) throws IOException {
        PrintWriter people = terminal.people(json);
        Optional<String> obstacle = Drawing.attempt(() -> ExplanationPicture.write(explanation, picture));
        people.println(obstacle.map(reason -> "No picture: " + reason + " " + Drawing.REMEDY)
                .orElse("Picture: " + picture));
        people.flush();
    }

    /** The most probable labels of some texts, the best first; of equally probable ones the first in the alphabet. */
    static List<Labelled> label(TextClassifier model, List<String> texts, int most) {
        return label(model, texts, model.predictProba(texts), most);
    }

    private static List<Labelled> label(TextClassifier model, List<String> texts, float[][] probabilities, int most) {
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

    private static String[] cells(String text, Labelled answer) {
        List<String> cells = new ArrayList<>(List.of(text));
        for (Label label : answer.labels()) {
            cells.add(label.label());
            cells.add(String.format(Locale.ROOT, "%.3f", label.probability()));
        }
        return cells.toArray(new String[0]);
    }

    /** The end of a text, with a sign for a blank there, which would not be seen. */
    private static String tail(String text) {
        String visible = text.replaceAll("\\s$", "\u2423");
        int length = visible.codePointCount(0, visible.length());
        if (length <= LONGEST_CELL) return visible;
        return "\u2026" + visible.substring(visible.offsetByCodePoints(0, length - LONGEST_CELL + 1));
    }

    private List<String> asked() throws IOException {
        if (texts != null) {
            texts.forEach(TextFile::requireReadable);
            return stripped(texts);
        }
        if (terminal.interactive()) {
            terminal.err().println("Type texts, one a line; end with Ctrl-D (Windows: Ctrl-Z and Enter).");
            terminal.err().flush();
        }
        List<String> lines = TextFile.readAll(terminal.in(), "standard input");
        if (lines.isEmpty())
            throw new UserException("there are no texts: name some, or send lines to the standard input");
        return stripped(lines);
    }

    /** Without blanks at their ends, as train reads them. */
    private static List<String> stripped(List<String> lines) {
        return lines.stream().map(String::strip).toList();
    }
}
