package dev.elman.cli;

import dev.elman.train.Checkpoint;
import dev.elman.train.ModelFile;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.TextClassifier;
import dev.elman.train.TextGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a model file is, before it is loaded. */
final class SavedModel {
    private SavedModel() {}

    /**
     * What the model in a file does.
     *
     * @throws IOException when the file cannot be read, or is damaged
     * @throws UserException when it is no text model
     */
    static TextTask.Kind kind(Path file) throws IOException {
        if (Files.notExists(file)) throw new UserException(file + ": there is no such file");
        if (Files.isDirectory(file)) throw new UserException(file + ": is a folder, not a model file");
        String kind = ModelFile.kind(file).orElse("none");
        return switch (kind) {
            case TextClassifier.KIND -> TextTask.Kind.classify;
            case TextGenerator.KIND -> TextTask.Kind.generate;
            case Checkpoint.KIND ->
                throw new UserException(
                        file + ": is a checkpoint of a training; go on with elman train --checkpoint, which"
                                + " makes a model of it");
            case SimpleRnnClassifier.KIND ->
                throw new UserException(
                        file + ": reads token ids or features, not texts: use SimpleRnnClassifier.load in"
                                + " Java, or let elman convert --like make a copy of a text model with its weights");
            case "none" -> throw new UserException(file + ": is no model of elman's; elman convert may read it");
            default ->
                throw new UserException(file + ": its metadata " + ModelFile.KIND + " is " + kind
                        + ", so it is not a text model; name a file that elman train or elman demo wrote");
        };
    }

    /**
     * Checks that a file holds a model of this kind.
     *
     * @throws IOException as {@link #kind}
     * @throws UserException when it is something else, naming the command that takes it
     */
    static void require(TextTask.Kind wanted, Path file) throws IOException {
        TextTask.Kind found = kind(file);
        if (found == wanted) return;
        throw new UserException(
                found == TextTask.Kind.classify
                        ? file + ": is a classifier, it labels texts and writes none; ask it with elman predict"
                        : file + ": is a language model, it writes texts and labels none; ask it with elman generate");
    }
}
