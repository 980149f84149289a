package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.TextClassifier;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;
import picocli.CommandLine.ArgGroup;
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
        description = {
            "",
            "The texts are those on the command line, or the lines of the standard input in UTF-8, of a file with < FILE; they"
                    + " are answered as they come."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  elman predict names.safetensors \"new zealand\" \"wielka brytania\"",
            "  elman predict names.safetensors < names.txt",
            "  elman predict names.safetensors --tsv < names.txt | cut -f1",
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

    @Parameters(index = "1..*", paramLabel = Failures.TEXT, description = "Texts to be labelled.")
    private List<String> texts;

    @Option(
            names = {"-k", "--k", "--top-k"},
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

    @ArgGroup
    private Format format = new Format();

    @Mixin
    private BackendOption backends;

    private final Terminal terminal;

    PredictCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /** What is printed for programs, one of these; else a table for people. */
    private static final class Format {
        @Option(names = "--json", description = "Print one JSON object with all answers.")
        private boolean json;

        @Option(
                names = "--tsv",
                description = "Print a line for each text as soon as it is answered, its fields apart by tabs: the most"
                        + " probable label, its probability, the next ones, and last the text.")
        private boolean tsv;
    }

    @Override
    public Integer call() throws IOException {
        if (best < 1) throw new UserException("--k must be at least 1, but is " + best);
        if (picture != null) requirePicture();
        SavedModel.require(TextTask.Kind.classify, file);
        if (texts != null) texts.forEach(this::requireText);
        String explained = picture == null ? null : explained();
        try (Backend backend = backends.choose().backend();
                TextClassifier model = TextClassifier.load(backend, file)) {
            Labeller labeller = new Labeller(terminal, file, model, best);
            if (explained != null) explain(backend, model, labeller.label(List.of(explained)));
            else if (format.json) printJson(backend, labeller);
            else answer(labeller, this::print);
        }
        return 0;
    }

    private void requireText(String text) {
        TextFile.requireReadable(text);
        if (!isFile(text)) return;
        terminal.err()
                .println("elman predict: \"" + text
                        + "\" is a file, but its name is what is labelled. To label its lines: "
                        + Shell.elman("predict", file) + " < " + Shell.quoted(text));
    }

    private static boolean isFile(String name) {
        try {
            return Files.isRegularFile(Path.of(name));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /** Hands on the answers as they come. */
    private void answer(Labeller labeller, Consumer<List<Labelled>> taker) throws IOException {
        if (texts == null) labeller.labelLines(lines(), taker);
        else taker.accept(labeller.label(texts));
    }

    /** One object; where a text fails, of what was answered before it. */
    private void printJson(Backend backend, Labeller labeller) throws IOException {
        try (PredictionsJson json = new PredictionsJson(terminal.out(), file, backend)) {
            answer(labeller, json::add);
        }
    }

    private void print(List<Labelled> answers) {
        print(answers, Labelled::text);
    }

    /** @param cell what a table shows of an answer's text */
    private void print(List<Labelled> answers, Function<Labelled, String> cell) {
        PrintWriter out = terminal.out();
        if (format.tsv) {
            answers.forEach(answer -> out.println(answer.tsv()));
        } else {
            Table table = new Table(0, 0);
            answers.forEach(answer -> table.row(answer.cells(cell.apply(answer))));
            table.lines("").forEach(out::println);
        }
    }

    private void requirePicture() {
        if (!picture.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
            throw new UserException("--explain writes a PNG file, but " + picture + " does not end in .png");
        }
        OutputFiles.requireWritable(picture);
    }

    /** The one text that is to be explained. */
    private String explained() throws IOException {
        List<String> asked = texts == null ? lines().all() : texts;
        if (asked.isEmpty()) throw new UserException(Labeller.NO_TEXTS);
        if (asked.size() > 1) throw new UserException("--explain is for one text, but there are " + asked.size());
        String text = asked.get(0).strip();
        int length = text.codePointCount(0, text.length());
        if (length < 1 || length > LONGEST_EXPLAINED) {
            throw new UserException(
                    "--explain is for a text of 1 to " + LONGEST_EXPLAINED + " characters, but this one has " + length);
        }
        return text;
    }

    private void explain(Backend backend, TextClassifier model, List<Labelled> answer) throws IOException {
        String text = answer.get(0).text();
        float[][] probabilities = model.predictPrefixes(text);
        List<Labelled> steps = Labelled.by(model, TextClassifier.prefixes(text), probabilities, best);
        if (format.json) {
            try (PredictionsJson json = new PredictionsJson(terminal.out(), file, backend)) {
                json.add(answer);
                json.explain(steps);
            }
        } else {
            print(steps, step -> tail(step.text()));
        }
        draw(new Explanation(text, model.labels(), probabilities));
    }

    private void draw(Explanation explanation) throws IOException {
        PrintWriter people = terminal.people(format.json || format.tsv);
        Optional<String> obstacle = Drawing.attempt(() -> ExplanationPicture.write(explanation, picture));
        people.println(obstacle.map(reason -> "No picture: " + reason + " " + Drawing.REMEDY)
                .orElse("Picture: " + picture));
    }

    /** The end of a text, with a sign for a blank there, which would not be seen. */
    private static String tail(String text) {
        String visible = text.replaceAll("\\s$", "\u2423");
        int length = visible.codePointCount(0, visible.length());
        if (length <= LONGEST_CELL) return visible;
        return "\u2026" + visible.substring(visible.offsetByCodePoints(0, length - LONGEST_CELL + 1));
    }

    private TextLines lines() {
        if (terminal.interactive()) {
            terminal.err().println("Type texts, one a line; end with Ctrl-D (Windows: Ctrl-Z and Enter).");
        }
        return new TextLines(terminal.in(), "standard input");
    }
}
