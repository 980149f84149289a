package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.train.History;
import dev.elman.train.TrainingDivergedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Trains a model on a text file. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Train a model on a text file of your own.",
        description = {
            "",
            "FILE is UTF-8. With a label, a tab and a text on each line, the model learns to tell the label of a text;"
                    + " else each line is a text, and the model learns to write more of them. Blank lines do not count."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  elman train names.tsv --out names.safetensors",
            "  elman predict names.safetensors \"wielka brytania\""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_1, Failures.CODE_2})
final class TrainCommand implements Callable<Integer> {
    /** What a model is to do. */
    enum Task {
        classify,
        generate
    }

    @Parameters(paramLabel = "FILE", description = "The texts.")
    private Path file;

    @Option(
            names = "--task",
            paramLabel = "TASK",
            description = "${COMPLETION-CANDIDATES} (default: classify if every line has a tab).")
    private Task task;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "MODEL",
            description = "Where the model goes (default: ${DEFAULT-VALUE}). A file of that name is replaced when the"
                    + " training has succeeded, and untouched otherwise.")
    private Path out = Path.of("model.safetensors");

    @Option(
            names = "--save-diverged",
            description =
                    "When the training diverges, replace MODEL by the last good weights, too. Without this they are"
                            + " saved only where there is no such file yet.")
    private boolean saveDiverged;

    @Option(names = "--json", description = "Print the result as one JSON object, and all else on the error stream.")
    private boolean json;

    @Mixin
    private TrainOptions training;

    @Mixin
    private BackendOption backends;

    private final Terminal terminal;

    TrainCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        training.check();
        training.trainer().build();
        OutputFiles.requireWritable(out);
        if (Files.exists(out) && Files.exists(file) && Files.isSameFile(file, out)) {
            throw new UserException(out + ": is the file of the texts; name another --out");
        }
        List<TextFile.Line> lines = TextFile.read(file);
        boolean classify =
                task == null ? lines.stream().allMatch(line -> line.text().contains("\t")) : task == Task.classify;
        Backends.Choice choice = backends.choose();
        try (Backend backend = choice.backend();
                TextTask model = classify
                        ? TextTask.classify(backend, file, lines, training)
                        : TextTask.generate(backend, lines, training)) {
            PrintWriter people = terminal.people(json);
            people.println("Backend: " + backend.description());
            people.println("Task: " + model.name() + ", " + why(classify, lines) + ": " + model.description());
            people.flush();
            return train(backend, model);
        }
    }

    private String why(boolean classify, List<TextFile.Line> lines) {
        if (task != null) return "as asked";
        if (classify) return "because every line has a tab";
        int first = lines.stream()
                .filter(line -> !line.text().contains("\t"))
                .findFirst()
                .orElseThrow()
                .number();
        return "because line " + first + " has no tab";
    }

    private int train(Backend backend, TextTask model) throws IOException {
        PrintWriter people = terminal.people(json);
        long began = System.nanoTime();
        History history;
        try (ProgressBar bar = new ProgressBar(people, terminal.interactive(), training.epochs)) {
            history = model.fit(training.trainer().callback(bar).build());
        } catch (TrainingDivergedException e) {
            terminal.err().println("elman train: " + Failures.describe(e) + " " + keepLastGood(model, e));
            return Failures.CHECK_FAILED;
        }
        double seconds = (System.nanoTime() - began) * 1e-9;
        if (history.epochs().size() < training.epochs) {
            people.println("Stopped early; the weights are those of epoch " + history.bestEpoch() + ".");
        }
        model.save(out);
        TrainResult result = TrainResult.of(
                model.name(), backend.name(), model.texts(), model.labels(), history, seconds, out.toString());
        model.show(result).forEach(people::println);
        people.println(String.format(Locale.ROOT, "Wrote %s after %.1f s of training.", out, seconds));
        people.flush();
        if (json) Json.print(terminal.out(), result);
        return 0;
    }

    /** Weights of a training that diverged are worth something, but not a file that is there already. */
    private String keepLastGood(TextTask model, TrainingDivergedException e) throws IOException {
        if (e.keptEpoch() == 0) return "Nothing was saved.";
        if (Files.exists(out) && !saveDiverged) {
            return out + " is as it was; --save-diverged would replace it by the last good weights.";
        }
        model.save(out);
        return "The last good weights are in " + out + ".";
    }
}
