package dev.elman.cli;

import dev.elman.io.SafeTensors;
import dev.elman.train.TextClassifier;
import dev.elman.train.TextGenerator;
import java.io.IOException;
import java.nio.file.Path;

/** What a model file is, before it is loaded. */
final class SavedModel {
    private static final String KIND = "elman.kind";

    private SavedModel() {}

    /**
     * What the model in a file does.
     *
     * @throws IOException when the file cannot be read, or is damaged
     * @throws UserException when it is something else than a text model
     */
    static TrainCommand.Task taskOf(Path file) throws IOException {
        String kind = SafeTensors.read(file).metadata().getOrDefault(KIND, "none");
        return switch (kind) {
            case TextClassifier.KIND -> TrainCommand.Task.classify;
            case TextGenerator.KIND -> TrainCommand.Task.generate;
            default ->
                throw new UserException(file + ": its metadata " + KIND + " is " + kind
                        + ", so it is not a text model; name a file that elman train or elman demo wrote");
        };
    }
}
