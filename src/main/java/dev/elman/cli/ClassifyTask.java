package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.Checkpoints;
import dev.elman.train.History;
import dev.elman.train.Team;
import dev.elman.train.TextClassifier;
import dev.elman.train.Trainer;
import dev.elman.train.TrainingData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Which label a text has.
 *
 * @param validation null where texts of {@code data} are held back instead, or none
 */
record ClassifyTask(LabelledTexts data, LabelledTexts validation, TextClassifier model, TrainOptions options)
        implements TextTask {
    private static final int EPOCHS = 20;
    private static final double LEARNING_RATE = 0.002;

    static ClassifyTask of(Backend backend, TextFile file, TrainOptions options) throws IOException {
        options.requireNoneOfGenerate();
        LabelledTexts data = LabelledTexts.read(file);
        // A model that is trained further has its labels already, and says which it does not know.
        if (options.init == null) data.requireTwoLabels(file);
        TextClassifier model =
                options.init == null ? create(backend, data, options) : TextClassifier.load(backend, options.init);
        try {
            Path other = options.held.validation;
            return new ClassifyTask(
                    data.knownTo(model, file), other == null ? null : validation(model, other), model, options);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static LabelledTexts validation(TextClassifier model, Path path) throws IOException {
        TextFile file = TextFile.read(path);
        return LabelledTexts.read(file).knownTo(model, file);
    }

    private static TextClassifier create(Backend backend, LabelledTexts data, TrainOptions options) {
        return TextClassifier.create(backend, data.texts(), data.labels(), shape -> {
            if (options.hidden != null) shape.hiddenSize(options.hidden);
            if (options.embedding != null) shape.embeddingSize(options.embedding);
            if (options.dropout != null) shape.dropout(options.dropout);
            return shape.bidirectional(options.bidirectional == null || options.bidirectional)
                    .layers(options.layers)
                    .recurrentDropout(options.recurrentDropout)
                    .seed(options.seed);
        });
    }

    @Override
    public Kind kind() {
        return Kind.classify;
    }

    @Override
    public List<String> doubts() {
        return data.doubts();
    }

    @Override
    public IntStream unknownCharacters() {
        return data.texts().stream()
                .flatMapToInt(text -> model.unknownCharacters(text).codePoints());
    }

    @Override
    public String description() {
        String measured = validation == null
                ? ""
                : String.format(
                        Locale.ROOT,
                        ", validated on %,d others",
                        validation.texts().size());
        return String.format(
                Locale.ROOT,
                "a classifier of %,d texts with %d labels (%s)%s",
                texts(),
                labels(),
                LabelledTexts.someLabels(model),
                measured);
    }

    @Override
    public int texts() {
        return data.texts().size();
    }

    @Override
    public Integer labels() {
        return model.labels().size();
    }

    @Override
    public Trainer.Builder trainer() {
        return options.trainer(EPOCHS, LEARNING_RATE);
    }

    @Override
    public History fit(Trainer trainer, Checkpoints checkpoints) {
        return model.model()
                .fit(
                        training(data),
                        validation == null ? null : training(validation),
                        trainer,
                        Team.alone(),
                        checkpoints);
    }

    private TrainingData training(LabelledTexts some) {
        return model.data(some.texts(), some.labels());
    }

    @Override
    public void save(Path file) throws IOException {
        model.save(file);
    }

    @Override
    public List<String> show(TrainResult result) {
        boolean measured = !Double.isNaN(result.validationAccuracy());
        String baseline = String.format(
                Locale.ROOT,
                "(the most frequent label alone%s: %.3f)",
                measured && validation == null ? ", of all texts" : "",
                (validation == null ? data : validation).mostFrequent());
        return List.of(
                !measured
                        ? String.format(
                                Locale.ROOT,
                                "Accuracy on the texts it has learnt: %.3f %s; none were held back",
                                result.accuracy(),
                                baseline)
                        : String.format(
                                Locale.ROOT,
                                "Accuracy on the texts %s: %.3f %s",
                                validation == null ? "held back" : "of " + options.held.validation,
                                result.validationAccuracy(),
                                baseline));
    }

    @Override
    public String next(Path file) {
        return Shell.elman("predict", file) + " TEXT";
    }

    @Override
    public void close() {
        model.close();
    }
}
