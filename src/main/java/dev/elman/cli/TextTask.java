package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.Checkpoints;
import dev.elman.train.History;
import dev.elman.train.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** A model to be trained on a text file, of either kind. */
interface TextTask extends AutoCloseable {
    /** What a model is to do; the names are those of {@code --task}. */
    enum Kind {
        classify,
        generate
    }

    Kind kind();

    /** What may be a mistake in the file, one sentence each. */
    List<String> doubts();

    /** The characters of the file that the model cannot tell apart, for they are not of its alphabet. */
    IntStream unknownCharacters();

    /** One line on what is trained on what. */
    String description();

    int texts();

    /** Number of labels, null where there are none. */
    Integer labels();

    /** The trainer that was asked for, with what does well for this model where nothing was. */
    Trainer.Builder trainer();

    History fit(Trainer trainer, Checkpoints checkpoints);

    void save(Path file) throws IOException;

    /** Lines that show what the model has learnt. */
    List<String> show(TrainResult result);

    /** A command to go on with. */
    String next(Path file);

    @Override
    void close();

    static TextTask of(Kind kind, Backend backend, TextFile file, TrainOptions options) throws IOException {
        return kind == Kind.classify
                ? ClassifyTask.of(backend, file, options)
                : GenerateTask.of(backend, file, options);
    }
}
