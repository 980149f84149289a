package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.Checkpoints;
import dev.elman.train.History;
import dev.elman.train.Team;
import dev.elman.train.TextClassifier;
import dev.elman.train.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Which label a text has. */
record ClassifyTask(LabelledTexts data, TextClassifier model, TrainOptions options) implements TextTask {
    private static final int EPOCHS = 20;
    private static final double LEARNING_RATE = 0.002;

    static ClassifyTask of(Backend backend, TextFile file, TrainOptions options) {
        options.requireNoneOfGenerate();
        LabelledTexts data = LabelledTexts.of(file);
        TextClassifier model = TextClassifier.create(backend, data.texts(), data.labels(), shape -> {
            if (options.hidden != null) shape.hiddenSize(options.hidden);
            if (options.embedding != null) shape.embeddingSize(options.embedding);
            if (options.dropout != null) shape.dropout(options.dropout);
            return shape.bidirectional(options.bidirectional == null || options.bidirectional)
                    .layers(options.layers)
                    .recurrentDropout(options.recurrentDropout)
                    .seed(options.seed);
        });
        return new ClassifyTask(data, model, options);
    }

    @Override
    public Kind kind() {
        return Kind.classify;
    }

    @Override
    public String description() {
        return String.format(
                Locale.ROOT,
                "a classifier of %,d texts with %d labels (%s)",
                texts(),
                labels(),
                Words.some(model.labels(), 8));
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
        return model.model().fit(model.data(data.texts(), data.labels()), trainer, Team.alone(), checkpoints);
    }

    @Override
    public void save(Path file) throws IOException {
        model.save(file);
    }

    @Override
    public List<String> show(TrainResult result) {
        return List.of(
                result.validationAccuracy() == null
                        ? String.format(
                                Locale.ROOT,
                                "Accuracy on the texts it has learnt: %.3f (none were held back)",
                                result.accuracy())
                        : String.format(
                                Locale.ROOT, "Accuracy on the texts held back: %.3f", result.validationAccuracy()));
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
