package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.History;
import dev.elman.train.LanguageModelConfig;
import dev.elman.train.Sampling;
import dev.elman.train.TextClassifier;
import dev.elman.train.TextGenerator;
import dev.elman.train.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;

/** A model to be trained on texts, of either kind. */
interface TextTask extends AutoCloseable {
    /** As in {@code --task}. */
    String name();

    /** One line on what is trained on what. */
    String description();

    int texts();

    /** Number of labels, null where there are none. */
    Integer labels();

    History fit(Trainer trainer);

    void save(Path file) throws IOException;

    /** Lines that show what the model has learnt. */
    List<String> show(TrainResult result);

    @Override
    void close();

    /** A classifier of these lines. */
    static TextTask classify(Backend backend, Path file, List<TextFile.Line> lines, TrainOptions options) {
        LabelledTexts data = LabelledTexts.of(file, lines);
        TextClassifier model = TextClassifier.create(backend, data.texts(), data.labels(), shape -> {
            if (options.hidden != null) shape.hiddenSize(options.hidden);
            if (options.embedding != null) shape.embeddingSize(options.embedding);
            if (options.dropout != null) shape.dropout(options.dropout);
            return shape.bidirectional(options.bidirectional == null || options.bidirectional)
                    .checkFinite(true)
                    .seed(options.seed);
        });
        return new Classify(data, model);
    }

    /** A generator of lines like these. */
    static TextTask generate(Backend backend, List<TextFile.Line> lines, TrainOptions options) {
        if (options.bidirectional != null) {
            throw new UserException("--bidirectional is for --task classify: a generator cannot read from the end");
        }
        List<String> texts =
                new ArrayList<>(lines.stream().map(TextFile.Line::text).toList());
        // What is held back is the end, and files are often sorted.
        Collections.shuffle(texts, new Random(options.seed));
        TextGenerator model = TextGenerator.create(backend, texts, shape -> {
            LanguageModelConfig sized = shape.withSizes(
                    Objects.requireNonNullElse(options.embedding, shape.embeddingSize()),
                    Objects.requireNonNullElse(options.hidden, shape.hiddenSize()));
            return sized.withDropout(Objects.requireNonNullElse(options.dropout, sized.dropout()))
                    .withSeed(options.seed);
        });
        return new Generate(texts, model, options.seed);
    }

    /** Which label a text has. */
    record Classify(LabelledTexts data, TextClassifier model) implements TextTask {
        @Override
        public String name() {
            return "classify";
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
        public History fit(Trainer trainer) {
            return model.fit(data.texts(), data.labels(), trainer);
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
        public void close() {
            model.close();
        }
    }

    /** Which character comes next. */
    record Generate(List<String> lines, TextGenerator model, long seed) implements TextTask {
        private static final int SAMPLES = 3;
        private static final int LONGEST = 80;
        private static final double TEMPERATURE = 0.8;

        @Override
        public String name() {
            return "generate";
        }

        @Override
        public String description() {
            return String.format(
                    Locale.ROOT,
                    "a generator of texts like these %,d, character by character, from an alphabet of %d",
                    texts(),
                    model.tokenizer().wordIndex().size());
        }

        @Override
        public int texts() {
            return lines.size();
        }

        @Override
        public Integer labels() {
            return null;
        }

        @Override
        public History fit(Trainer trainer) {
            return model.fit(lines, trainer);
        }

        @Override
        public void save(Path file) throws IOException {
            model.save(file);
        }

        @Override
        public List<String> show(TrainResult result) {
            List<String> shown = new ArrayList<>();
            if (result.perplexity() != null) {
                shown.add(String.format(
                        Locale.ROOT,
                        "Perplexity on the texts held back: %.2f (as hard as a choice among so many characters)",
                        result.perplexity()));
            }
            shown.add("Three samples:");
            for (int i = 0; i < SAMPLES; i++) {
                shown.add("  " + model.generate("", LONGEST, new Sampling(TEMPERATURE, 0, seed + i)));
            }
            return shown;
        }

        @Override
        public void close() {
            model.close();
        }
    }
}
