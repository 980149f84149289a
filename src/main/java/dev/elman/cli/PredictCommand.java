package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.Sampling;
import dev.elman.train.TextClassifier;
import dev.elman.train.TextGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Asks a trained model. */
@Command(
        name = "predict",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Label texts with a trained model, or let it write some.",
        description = {
            "",
            "A classifier labels the texts on the command line, or the lines of the standard input in UTF-8."
                    + " A generator writes."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  elman predict names.safetensors \"new zealand\" \"wielka brytania\"",
            "  elman predict poems.safetensors --prompt \"The \" --temperature 0.7 --count 5"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_2})
final class PredictCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "A file that train or demo wrote.")
    private Path file;

    @Parameters(index = "1..*", paramLabel = "TEXT", description = "Texts to be labelled.")
    private List<String> texts;

    @Option(
            names = {"-k", "--k"},
            paramLabel = "N",
            description = "How many labels a text gets, the most probable ones (default: 3).")
    private Integer best;

    @ArgGroup(validate = false, heading = "%nFor a generator:%n")
    private final Writing writing = new Writing();

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private BackendOption backends;

    private final Terminal terminal;

    PredictCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /** How a generator is to write. */
    static final class Writing {
        @Option(names = "--prompt", paramLabel = "TEXT", description = "How each text begins (default: anyhow).")
        private String prompt;

        @Option(
                names = "--temperature",
                paramLabel = "NUMBER",
                description = "Below 1 more of what is probable, above 1 more of what is not (default: 0.8).")
        private Double temperature;

        @Option(
                names = "--top-k",
                paramLabel = "N",
                description = "Draw from the N most probable characters only; 0 for all (default: 0).")
        private Integer topK;

        @Option(names = "--length", paramLabel = "N", description = "Characters to draw at most (default: 80).")
        private Integer length;

        @Option(names = "--count", paramLabel = "N", description = "How many texts (default: 3).")
        private Integer count;

        @Option(names = "--seed", paramLabel = "N", description = "Same seed, same texts (default: 0).")
        private Long seed;

        private boolean isAsked() {
            return prompt != null
                    || temperature != null
                    || topK != null
                    || length != null
                    || count != null
                    || seed != null;
        }
    }

    /** A label and how probable the model finds it. */
    record Label(String label, double probability) {}

    /** A text and its most probable labels. */
    record Labelled(String text, List<Label> labels) {}

    /** What {@code --json} prints for a classifier. */
    record Predictions(String model, String backend, List<Labelled> predictions) {}

    /** What {@code --json} prints for a generator. */
    record Samples(String model, String backend, List<String> samples) {}

    @Override
    public Integer call() throws IOException {
        TrainCommand.Task task = SavedModel.taskOf(file);
        try (Backend backend = backends.choose().backend()) {
            if (task == TrainCommand.Task.classify) classify(backend);
            else generate(backend);
        }
        return 0;
    }

    private void classify(Backend backend) throws IOException {
        if (writing.isAsked()) throw new UserException(file + " is a classifier: it labels texts, it writes none");
        int labels = atLeast("--k", Objects.requireNonNullElse(best, 3), 1);
        try (TextClassifier model = TextClassifier.load(backend, file)) {
            List<String> asked = asked();
            List<Labelled> answers = label(model, asked, labels);
            if (json) {
                Json.print(terminal.out(), new Predictions(file.toString(), backend.name(), answers));
                return;
            }
            Table table = new Table(0, 0);
            for (Labelled answer : answers) table.row(cells(answer));
            table.lines("").forEach(terminal.out()::println);
        }
    }

    /** The most probable labels of some texts, the best first; of equally probable ones the first in the alphabet. */
    static List<Labelled> label(TextClassifier model, List<String> texts, int most) {
        float[][] probabilities = model.predictProba(texts);
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

    private static String[] cells(Labelled answer) {
        List<String> cells = new ArrayList<>(List.of(answer.text()));
        for (Label label : answer.labels()) {
            cells.add(label.label());
            cells.add(String.format(Locale.ROOT, "%.3f", label.probability()));
        }
        return cells.toArray(new String[0]);
    }

    private List<String> asked() throws IOException {
        if (texts != null) {
            texts.forEach(PredictCommand::requireReadable);
            return texts;
        }
        if (terminal.interactive()) {
            terminal.err().println("Type texts, one a line; end with Ctrl-D (Windows: Ctrl-Z and Enter).");
            terminal.err().flush();
        }
        List<String> lines = TextFile.readAll(terminal.in(), "standard input");
        if (lines.isEmpty())
            throw new UserException("there are no texts: name some, or send lines to the standard input");
        return lines;
    }

    /** Java reads the command line in the locale's encoding, and what does not exist there is lost. */
    private static void requireReadable(String text) {
        if (text.indexOf('\uFFFD') >= 0) {
            throw new UserException("the text \"" + text + "\" cannot be read in this locale's encoding;"
                    + " send texts to the standard input, which is read as UTF-8, or set LC_ALL=C.UTF-8");
        }
    }

    private void generate(Backend backend) throws IOException {
        if (texts != null || best != null) {
            throw new UserException(
                    file + " is a generator: it writes texts, it labels none; give it a --prompt to begin with");
        }
        if (writing.prompt != null) requireReadable(writing.prompt);
        int count = atLeast("--count", Objects.requireNonNullElse(writing.count, 3), 1);
        int length = atLeast("--length", Objects.requireNonNullElse(writing.length, 80), 1);
        long seed = Objects.requireNonNullElse(writing.seed, 0L);
        List<String> samples = new ArrayList<>();
        try (TextGenerator model = TextGenerator.load(backend, file)) {
            for (int i = 0; i < count; i++) {
                Sampling sampling = new Sampling(
                        Objects.requireNonNullElse(writing.temperature, 0.8),
                        Objects.requireNonNullElse(writing.topK, 0),
                        seed + i);
                samples.add(model.generate(Objects.requireNonNullElse(writing.prompt, ""), length, sampling));
            }
        }
        if (json) Json.print(terminal.out(), new Samples(file.toString(), backend.name(), samples));
        else samples.forEach(terminal.out()::println);
    }

    private static int atLeast(String name, int value, int least) {
        if (value < least) throw new UserException(name + " must be at least " + least + ", but is " + value);
        return value;
    }
}
