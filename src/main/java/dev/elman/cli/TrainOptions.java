package dev.elman.cli;

import dev.elman.train.LearningRateSchedule;
import dev.elman.train.Optimizer;
import dev.elman.train.Trainer;
import java.util.Objects;
import picocli.CommandLine.Option;

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

    @Option(names = "--embedding", paramLabel = "N", description = "Numbers that stand for a character (default: 64).")
    Integer embedding;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "Of AdamW, falling along a cosine (default: 0.002 to classify, 0.004 to generate).")
    Double learningRate;

    @Option(
            names = "--dropout",
            paramLabel = "SHARE",
            description =
                    "Share of the network's output dropped while training (default: 0.2 to classify, 0.1 to generate).")
    Double dropout;

    @Option(
            names = "--bidirectional",
            negatable = true,
            description = "Read texts from both ends (the default); to classify only.")
    Boolean bidirectional;

    @Option(
            names = "--window",
            paramLabel = "N",
            description = "Characters through which an error is traced back (default: 64); what was read before is"
                    + " remembered, but not corrected. To generate only.")
    Integer window;

    @Option(
            names = "--shuffle-lines",
            description = "Take the lines in random order, without blank ones: for lists, whose order says nothing. To"
                    + " generate only.")
    boolean shuffleLines;

    @Option(
            names = "--validation-split",
            paramLabel = "SHARE",
            description = "Share of the texts held back to measure with; to generate, the end of the text (default:"
                    + " ${DEFAULT-VALUE}).")
    double validationSplit = 0.1;

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

    /** A trainer with these settings, and with these where no others were asked for. */
    Trainer.Builder trainer(int defaultEpochs, double defaultRate) {
        return Trainer.builder()
                .epochs(Objects.requireNonNullElse(epochs, defaultEpochs))
                .batchSize(batchSize)
                .optimizer(Optimizer.adamW(Objects.requireNonNullElse(learningRate, defaultRate), 0.01))
                .schedule(LearningRateSchedule.cosine().withWarmup(0.05))
                .clipNorm(1)
                .validationSplit(validationSplit)
                .patience(Objects.requireNonNullElse(patience, validationSplit > 0 ? PATIENCE : 0))
                .seed(seed);
    }

    /**
     * Checks the settings before any work is done.
     *
     * @throws IllegalArgumentException when one is out of its range
     */
    void check() {
        trainer(1, 1).build();
        positive("--hidden", hidden);
        positive("--embedding", embedding);
        positive("--window", window);
    }

    /** Throws {@link UserException} when an option was given that means nothing to a classifier. */
    void requireNoneOfGenerate() {
        if (window != null) throw new UserException("--window is for --task generate: a classifier reads whole texts");
        if (shuffleLines) {
            throw new UserException("--shuffle-lines is for --task generate: a classifier's texts are always shuffled");
        }
    }

    /** Throws {@link UserException} when an option was given that means nothing to a generator. */
    void requireNoneOfClassify() {
        if (bidirectional != null) {
            throw new UserException("--bidirectional is for --task classify: a generator cannot read from the end");
        }
    }

    private static void positive(String name, Integer value) {
        if (value != null && value < 1) throw new UserException(name + " must be at least 1, but is " + value);
    }
}
