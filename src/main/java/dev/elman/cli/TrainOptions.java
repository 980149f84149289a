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
            description = "How often the texts are read (default: ${DEFAULT-VALUE}).")
    int epochs = 20;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Texts that are learnt together (default: ${DEFAULT-VALUE}).")
    int batchSize = 32;

    @Option(
            names = "--hidden",
            paramLabel = "N",
            description =
                    "Nodes of the recurrent layer, in each direction (default: 128 to classify, 256 to generate).")
    Integer hidden;

    @Option(names = "--embedding", paramLabel = "N", description = "Numbers that stand for a character (default: 64).")
    Integer embedding;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "Of AdamW, falling along a cosine (default: ${DEFAULT-VALUE}).")
    double learningRate = 0.002;

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
            names = "--validation-split",
            paramLabel = "SHARE",
            description = "Share of the texts held back to measure with (default: ${DEFAULT-VALUE}).")
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

    /** Throws {@link IllegalArgumentException} when a setting is out of its range. */
    Trainer.Builder trainer() {
        return Trainer.builder()
                .epochs(epochs)
                .batchSize(batchSize)
                .optimizer(Optimizer.adamW(learningRate, 0.01))
                .schedule(LearningRateSchedule.cosine().withWarmup(0.05))
                .clipNorm(1)
                .validationSplit(validationSplit)
                .patience(Objects.requireNonNullElse(patience, validationSplit > 0 ? PATIENCE : 0))
                .seed(seed);
    }

    /**
     * Checks what the models themselves cannot say in the words of the command line.
     *
     * @throws UserException when a size is not positive
     */
    void check() {
        positive("--hidden", hidden);
        positive("--embedding", embedding);
    }

    private static void positive(String name, Integer value) {
        if (value != null && value < 1) throw new UserException(name + " must be at least 1, but is " + value);
    }
}
