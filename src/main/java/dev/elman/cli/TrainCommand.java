package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.train.Checkpoint;
import dev.elman.train.Checkpoints;
import dev.elman.train.History;
import dev.elman.train.Trainer;
import dev.elman.train.TrainingDivergedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
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
                    + " else it learns to write more of the text, character by character. 1 MB takes minutes.",
            "",
            "The learning curve goes beside the model, as MODEL with .curve.png for .safetensors.",
            "",
            "Ctrl-C ends the training and saves, without a picture, its best epoch, without --patience its last whole one: as"
                    + " MODEL, or where that is there already as MODEL with .stopped.safetensors for .safetensors."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  elman train names.tsv --out names.safetensors",
            "  elman train names.tsv --validation others.tsv --out names.safetensors",
            "  elman train others.tsv --init names.safetensors --out more.safetensors",
            "  elman train novel.txt --out novel.safetensors",
            "  elman train villages.txt --out villages.safetensors --shuffle-lines"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            Failures.CODE_0,
            Failures.CODE_1,
            Failures.CODE_2,
            Failures.CODE_3,
            "130:stopped by Ctrl-C, 143 by SIGTERM; saved if an epoch was over"
        })
final class TrainCommand implements Callable<Integer> {
    private static final String SUFFIX = ".safetensors";
    private static final String STOPPED = ".stopped" + SUFFIX;

    @Parameters(paramLabel = "FILE", description = "The text or texts.")
    private Path file;

    @Option(
            names = "--task",
            paramLabel = "TASK",
            description = "${COMPLETION-CANDIDATES} (default: classify if every line has a tab).")
    private TextTask.Kind task;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "MODEL",
            description =
                    "Where the model goes (default: ${DEFAULT-VALUE}). A file of that name is replaced when the"
                            + " training has succeeded, and untouched otherwise. If that fails the model is saved as with Ctrl-C.")
    private Path out = Path.of("model.safetensors");

    @Option(
            names = "--save-diverged",
            description =
                    "When the training diverges, replace MODEL by the last good weights, too. Without this they are"
                            + " saved only where there is no such file yet.")
    private boolean saveDiverged;

    @Option(
            names = "--checkpoint",
            paramLabel = "CHECKPOINT",
            description =
                    "A file that is written after each epoch. Where it is there, the training goes on from it; it has to be"
                            + " one of this FILE with these options, --epochs among them.")
    private Path checkpoint;

    /** Whether there is such a file. */
    private boolean goesOn;

    @Option(names = "--no-pictures", description = "Draw no learning curve.")
    private boolean noPictures;

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
        OutputFiles.requireWritable(out);
        if (!noPictures) OutputFiles.requireWritable(curve());
        if (checkpoint != null) requireOwn(checkpoint);
        requireOther(file);
        if (training.held.validation != null) requireOther(training.held.validation);
        if (training.init != null) requireKept(training.init);
        TextFile text = TextFile.read(file);
        Optional<TextFile.Line> untabbed = text.filled().stream()
                .filter(line -> !line.text().contains("\t"))
                .findFirst();
        if (task == null && untabbed.isPresent() && text.isMostlyTabbed()) {
            throw new UserException(file + ": line " + untabbed.get().number() + " has no tab, but most lines have one."
                    + " Put one between its label and its text, or say --task generate to learn to write such lines");
        }
        TextTask.Kind kind = kind(untabbed);
        Backends.Choice choice = backends.choose();
        try (Backend backend = choice.backend();
                TextTask model = TextTask.of(kind, backend, text, training)) {
            PrintWriter people = terminal.people(json);
            people.println("Backend: " + backend.description());
            people.println("Task: " + kind + ", " + why(untabbed) + ": " + model.description());
            // A model that was made for these texts knows all their characters.
            if (training.init != null) {
                UnknownCharacters.warn(
                        terminal, "train", model.unknownCharacters(), "cannot tell them from each other");
            }
            for (String doubt : model.doubts()) terminal.err().println("elman train: " + file + ": " + doubt);
            return train(backend, model);
        }
    }

    private void requireOther(Path texts) throws IOException {
        if (areSame(texts, out)) throw new UserException(out + ": is a file of texts; name another --out");
    }

    /** Ctrl-C is no wish to lose the model that was to be trained further. */
    private void requireKept(Path init) throws IOException {
        if (Files.exists(out) && areSame(init, beside(STOPPED))) {
            throw new UserException(init + ": is the model of --init, and Ctrl-C would replace it, for " + out
                    + " is there already; name another --out");
        }
    }

    private static boolean areSame(Path one, Path other) throws IOException {
        return Files.exists(one) && Files.exists(other) && Files.isSameFile(one, other);
    }

    private TextTask.Kind kind(Optional<TextFile.Line> untabbed) throws IOException {
        if (training.init == null) {
            TextTask.Kind found = untabbed.isEmpty() ? TextTask.Kind.classify : TextTask.Kind.generate;
            return Objects.requireNonNullElse(task, found);
        }
        TextTask.Kind itself = SavedModel.kind(training.init);
        if (task == null || task == itself) return itself;
        throw new UserException(
                training.init + ": is a model to " + itself + "; leave out --task, or name another --init");
    }

    /** Why this task and not the other. */
    private String why(Optional<TextFile.Line> untabbed) {
        if (training.init != null) return "going on with " + training.init;
        if (task != null) return "as asked";
        if (untabbed.isEmpty()) return "because every line has a tab";
        String comma = file.toString().toLowerCase(Locale.ROOT).endsWith(".csv")
                ? " (labels need a tab, not a comma, between label and text)"
                : "";
        return "because line " + untabbed.get().number() + " has no tab" + comma;
    }

    private int train(Backend backend, TextTask model) throws IOException {
        PrintWriter people = terminal.people(json);
        long began = System.nanoTime();
        Trainer.Builder trainer = model.trainer();
        int epochs = trainer.build().epochs();
        try (StopSignal signal = new StopSignal()) {
            History history;
            try (ProgressBar bar = new ProgressBar(people, terminal.interactive(), epochs, model.kind())) {
                history = model.fit(trainer.callback(bar).build(), checkpoints(people));
            } catch (IllegalArgumentException e) {
                if (!goesOn) throw e;
                throw new IllegalArgumentException(
                        e.getMessage() + " On the command line: give the FILE and the options that it was made with, or"
                                + " name another --checkpoint.",
                        e);
            } catch (TrainingDivergedException e) {
                terminal.err().println("elman train: " + Failures.describe(e) + " " + keepLastGood(model, e));
                return Failures.CHECK_FAILED;
            }
            double seconds = (System.nanoTime() - began) * 1e-9;
            boolean stopped = signal.taken();
            try {
                return save(backend, model, history, seconds, stopped);
            } catch (IOException | RuntimeException e) {
                if (!stopped) throw e;
                // Said here, for the JVM ends with this block.
                terminal.err().println("elman train: " + Failures.describe(e));
                return Failures.BAD_INPUT;
            }
        }
    }

    private void requireOwn(Path checkpoint) {
        OutputFiles.requireWritable(checkpoint);
        for (Path other : List.of(out, file, curve(), beside(STOPPED))) {
            if (checkpoint
                    .toAbsolutePath()
                    .normalize()
                    .equals(other.toAbsolutePath().normalize())) {
                throw new UserException(checkpoint + ": is another file of this training; name another --checkpoint");
            }
        }
    }

    private Checkpoints checkpoints(PrintWriter people) {
        if (checkpoint == null) return Checkpoints.none();
        Checkpoints inFile = Checkpoints.in(checkpoint);
        return new Checkpoints() {
            @Override
            public Checkpoint latest() {
                Checkpoint found = inFile.latest();
                if (found != null) {
                    goesOn = true;
                    people.println("Checkpoint: " + checkpoint + ", of the end of epoch " + found.epoch());
                }
                return found;
            }

            @Override
            public void save(Checkpoint reached) {
                inFile.save(reached);
            }
        };
    }

    private int save(Backend backend, TextTask model, History history, double seconds, boolean stopped)
            throws IOException {
        if (history.epochs().isEmpty()) throw new UserException("stopped in the first epoch; nothing was saved");
        PrintWriter people = terminal.people(json);
        int epochs = model.trainer().build().epochs();
        if (history.bestEpoch() < epochs) {
            String how = stopped ? "Stopped; the" : history.epochs().size() < epochs ? "Stopped early; the" : "The";
            people.println(how + " weights are those of epoch " + history.bestEpoch() + ".");
        }
        Path to = write(model, stopped);
        TrainResult result = TrainResult.of(
                model.kind(), backend.name(), model.texts(), model.labels(), history, seconds, to.toString());
        model.show(result).forEach(people::println);
        people.println(String.format(Locale.ROOT, "Wrote %s after %.1f s of training.", to, seconds));
        // Java's graphics do not start in a JVM that goes down.
        if (!noPictures && !stopped) draw(people, model.kind(), history);
        people.println("Go on with: " + model.next(to));
        if (stopped && checkpoint != null) {
            people.println("The same command again goes on with the training, from " + checkpoint + ".");
        }
        if (json) Json.print(terminal.out(), result);
        return stopped || to.equals(out) ? 0 : Failures.BAD_INPUT;
    }

    /** Writes the model, and no worse than beside a file that cannot be replaced, such as another user's in /tmp. */
    private Path write(TextTask model, boolean stopped) throws IOException {
        Path other = beside(STOPPED);
        if (stopped && Files.exists(out)) {
            model.save(other);
            return other;
        }
        try {
            model.save(out);
            return out;
        } catch (IOException e) {
            if (!Files.exists(out)) throw e;
            model.save(other);
            terminal.err().println("elman train: " + Failures.describe(e));
            return other;
        }
    }

    /** What becomes of the picture is no reason to hide the result. */
    private void draw(PrintWriter people, TextTask.Kind kind, History history) {
        try {
            Optional<String> obstacle = Drawing.attempt(() -> Pictures.curve(history, kind, curve()));
            people.println(obstacle.map(reason -> "No learning curve: " + reason + " " + Drawing.REMEDY)
                    .orElse("Learning curve: " + curve()));
        } catch (IOException e) {
            people.println("No learning curve: " + Failures.describe(e));
        }
    }

    /** The picture beside the model. */
    private Path curve() {
        return beside(".curve.png");
    }

    /** A file named as the model is, but for its end. */
    private Path beside(String end) {
        String name = out.getFileName().toString();
        String stem = name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
        return out.resolveSibling(stem + end);
    }

    /** Weights of a training that diverged are worth something, but not a file that is there already. */
    private String keepLastGood(TextTask model, TrainingDivergedException e) throws IOException {
        if (e.lastGoodEpoch() == 0) return "Nothing was saved.";
        if (Files.exists(out) && !saveDiverged) {
            return out + " is as it was; --save-diverged would replace it by the last good weights.";
        }
        return "The last good weights are in " + write(model, false) + ".";
    }
}
