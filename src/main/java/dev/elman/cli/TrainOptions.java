package dev.elman.cli;

import dev.elman.train.LanguageModelConfig;
import dev.elman.train.LearningRateSchedule;
import dev.elman.train.Optimizer;
import dev.elman.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** How {@code train} trains: what was asked for, and what is meant where nothing was. */
final class TrainOptions {
    private static final int PATIENCE = 5;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "How often the texts are read (default: 20 to classify; to generate, so often that 10 million"
                    + " characters are read, 3 to 100 times).")
    Integer epochs;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Texts that are learnt together; to generate, parts of the text that are read side by side"
                    + " (default: ${DEFAULT-VALUE}).")
    int batchSize = 32;

    @Option(
            names = "--hidden",
            paramLabel = "N",
            description =
                    "Nodes of the recurrent layer, in each direction (default: 128 to classify, 512 to generate).")
    Integer hidden;

    @Option(
            names = "--layers",
            paramLabel = "N",
            description = "Recurrent layers on top of each other (default: ${DEFAULT-VALUE}).")
    int layers = 1;

    @Option(
            names = "--embedding",
            paramLabel = "N",
            description = "Numbers that stand for a character (default: 64, with --tied as many as --hidden).")
    Integer embedding;

    @Option(
            names = "--tied",
            description = "Let the output layer share the weights of the embedding; then both are of the size --hidden."
                    + " To generate only.")
    boolean tied;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "Of AdamW, falling along a cosine (default: 0.002 to classify, 0.004 to generate).")
    Double learningRate;

    @Option(
            names = "--dropout",
            paramLabel = "SHARE",
            description = "Share of the network's output, and of what its layers hand up, dropped while training"
                    + " (default: 0.2 to classify, 0.1 to generate).")
    Double dropout;

    @Option(
            names = "--recurrent-dropout",
            paramLabel = "SHARE",
            description =
                    "Share of the state that a step does not see while training, the same nodes at every step of a"
                            + " text (default: ${DEFAULT-VALUE}).")
    double recurrentDropout;

    @Option(
            names = "--bidirectional",
            negatable = true,
            description = "Read texts from both ends (the default); to classify only.")
    Boolean bidirectional;

    @Option(
            names = "--window",
            paramLabel = "N",
            description = "Characters between two corrections of the weights, k1 of truncated back-propagation"
                    + " (default: 64). To generate only.")
    Integer window;

    @Option(
            names = "--back-steps",
            paramLabel = "N",
            description =
                    "Characters through which an error is traced back, k2 (default: --window); what was read before"
                            + " is remembered, but not corrected. To generate only.")
    Integer backSteps;

    @Option(
            names = "--shuffle-lines",
            description = "Take the lines in random order, without blank ones: for lists, whose order says nothing. To"
                    + " generate only.")
    boolean shuffleLines;

    @Option(
            names = "--init",
            paramLabel = "MODEL",
            description =
                    "Begin with the weights of a model that train wrote, for example to fit it to texts of another"
                            + " kind. Its network, its alphabet and its labels stay as they are.")
    Path init;

    @ArgGroup
    HeldBack held = new HeldBack();

    /** What to measure with while training, one of these. */
    static final class HeldBack {
        private static final double SHARE = 0.1;

        @Option(
                names = "--validation-split",
                paramLabel = "SHARE",
                description =
                        "Share of the texts held back to measure with; to generate, the end of the text (default: "
                                + SHARE + ").")
        Double split;

        @Option(
                names = "--validation",
                paramLabel = "FILE",
                description = "Texts with labels to measure with, instead; to classify only.")
        Path validation;

        double share() {
            return validation == null ? Objects.requireNonNullElse(split, SHARE) : 0;
        }

        boolean isAny() {
            return validation != null || share() > 0;
        }
    }

    @Option(
            names = "--patience",
            paramLabel = "N",
            description = "Stop after so many epochs without a lower validation loss and keep the best weights;"
                    + " 0 for never (default: " + PATIENCE + " where texts are held back).")
    Integer patience;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides all that is random: same seed, same result (default: ${DEFAULT-VALUE}).")
    long seed;

    /** What a model that is trained further says itself. */
    private static final List<String> SHAPE = List.of(
            "--hidden",
            "--layers",
            "--embedding",
            "--tied",
            "--dropout",
            "--recurrent-dropout",
            "--bidirectional",
            "--window",
            "--back-steps");

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** A trainer with these settings, and with these where no others were asked for. */
    Trainer.Builder trainer(int defaultEpochs, double defaultRate) {
        return Trainer.builder()
                .epochs(Objects.requireNonNullElse(epochs, defaultEpochs))
                .batchSize(batchSize)
                .optimizer(Optimizer.adamW(Objects.requireNonNullElse(learningRate, defaultRate), 0.01))
                .schedule(LearningRateSchedule.cosine().withWarmup(0.05))
                .clipNorm(1)
                .validationSplit(held.share())
                .patience(Objects.requireNonNullElse(patience, held.isAny() ? PATIENCE : 0))
                .seed(seed);
    }

    /**
     * Checks the settings before any work is done.
     *
     * @throws IllegalArgumentException when one of the trainer's is out of its range
     * @throws UserException when another one is
     */
    void check() {
        trainer(1, 1).build();
        if (init != null) {
            ParseResult given = spec.commandLine().getParseResult();
            for (String option : SHAPE) {
                if (given.hasMatchedOption(option)) {
                    throw new UserException("leave out " + option + ": the model that --init names says it");
                }
            }
        }
        positive("--hidden", hidden);
        positive("--embedding", embedding);
        positive("--layers", layers);
        positive("--window", window);
        positive("--back-steps", backSteps);
        share("--dropout", dropout);
        share("--recurrent-dropout", recurrentDropout);
        if (!held.isAny() && patience != null && patience > 0) {
            throw new UserException(
                    "--patience needs held-back data to watch: set --validation-split, 0.1 for example");
        }
    }

    /**
     * The shape of a language model with these settings.
     *
     * @param shape of which those are kept that nobody asked for otherwise
     * @param defaultHidden nodes where no number was asked for
     * @throws UserException when two settings contradict each other
     */
    LanguageModelConfig generator(LanguageModelConfig shape, int defaultHidden) {
        int nodes = Objects.requireNonNullElse(hidden, defaultHidden);
        int numbers = Objects.requireNonNullElse(embedding, tied ? nodes : shape.embeddingSize());
        if (tied && numbers != nodes) {
            throw new UserException("--tied makes the embedding as large as --hidden, which is " + nodes
                    + ", but --embedding is " + numbers + "; leave one of the three out");
        }
        int k1 = Objects.requireNonNullElse(window, shape.window());
        int k2 = Objects.requireNonNullElse(backSteps, k1);
        if (k2 < k1) {
            throw new UserException("--back-steps must be at least --window, which is " + k1 + ", but is " + k2
                    + "; give a --window of at most " + k2 + ", too");
        }
        return shape.withSizes(numbers, nodes)
                .withLayers(layers)
                .withTied(tied)
                .withDropout(Objects.requireNonNullElse(dropout, shape.dropout()))
                .withRecurrentDropout(recurrentDropout)
                .withWindow(k1, k2)
                .withSeed(seed);
    }

    /** Throws {@link UserException} when an option was given that means nothing to a classifier. */
    void requireNoneOfGenerate() {
        if (window != null) throw new UserException("--window is for --task generate: a classifier reads whole texts");
        if (backSteps != null) {
            throw new UserException(
                    "--back-steps is for --task generate: a classifier traces errors through whole texts");
        }
        if (tied) {
            throw new UserException(
                    "--tied is for --task generate: what a classifier answers is none of the characters it reads");
        }
        if (shuffleLines) {
            throw new UserException("--shuffle-lines is for --task generate: a classifier's texts are always shuffled");
        }
    }

    /** Throws {@link UserException} when an option was given that means nothing to a generator. */
    void requireNoneOfClassify() {
        if (held.validation != null) {
            throw new UserException(
                    "--validation is for --task classify: of a text, --validation-split holds back the end");
        }
        if (bidirectional != null && bidirectional) {
            throw new UserException("--bidirectional is for --task classify: a generator cannot read from the end");
        }
    }

    private static void positive(String name, Integer value) {
        if (value != null && value < 1) throw new UserException(name + " must be at least 1, but is " + value);
    }

    private static void share(String name, Double value) {
        if (value != null && !(value >= 0 && value < 1)) {
            throw new UserException(name + " is a share: it must be at least 0 and below 1, but is " + value);
        }
    }
}
