package dev.elman.cli;

import dev.elman.backend.Backend;
import dev.elman.train.Checkpoints;
import dev.elman.train.History;
import dev.elman.train.Sampling;
import dev.elman.train.TextGenerator;
import dev.elman.train.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Which character comes next.
 *
 * @param data the whole file, or its lines one by one
 * @param characters of all texts
 * @param options that it was made with
 */
record GenerateTask(List<String> data, long characters, TextGenerator model, TrainOptions options) implements TextTask {
    /** What a small network needs to write words, and a CPU reads in minutes. */
    private static final long CHARACTERS_READ = 10_000_000;

    private static final int LEAST_EPOCHS = 3;
    private static final int MOST_EPOCHS = 100;
    private static final double LEARNING_RATE = 0.004;
    private static final int HIDDEN = 512;
    private static final int SAMPLE = 300;
    private static final int LINES = 3;

    static GenerateTask of(Backend backend, TextFile file, TrainOptions options) throws IOException {
        options.requireNoneOfClassify();
        List<String> data = options.shuffleLines ? shuffled(file, options.seed) : List.of(file.text());
        long characters = data.stream()
                .mapToLong(text -> text.codePointCount(0, text.length()) + 1)
                .sum();
        TextGenerator model = options.init == null
                ? TextGenerator.create(backend, data, shape -> options.generator(shape, HIDDEN))
                : TextGenerator.load(backend, options.init);
        return new GenerateTask(data, characters, model, options);
    }

    private static List<String> shuffled(TextFile file, long seed) {
        List<String> lines =
                new ArrayList<>(file.filled().stream().map(TextFile.Line::text).toList());
        // Mixed: a Random whose seed is small would leave the same line at the end, which is held back.
        Collections.shuffle(lines, new Random(new SplittableRandom(seed).nextLong()));
        return lines;
    }

    @Override
    public Kind kind() {
        return Kind.generate;
    }

    @Override
    public List<String> doubts() {
        return List.of();
    }

    @Override
    public IntStream unknownCharacters() {
        return data.stream().flatMapToInt(text -> model.unknownCharacters(text).codePoints());
    }

    @Override
    public String description() {
        return String.format(
                Locale.ROOT,
                "a language model of %,d characters%s, from an alphabet of %d: %,d weights",
                characters,
                options.shuffleLines ? String.format(Locale.ROOT, " in %,d lines, shuffled", texts()) : "",
                model.tokenizer().wordIndex().size() - 1,
                model.model().weights().count());
    }

    @Override
    public int texts() {
        return data.size();
    }

    @Override
    public Integer labels() {
        return null;
    }

    @Override
    public Trainer.Builder trainer() {
        long epochs = Math.max(LEAST_EPOCHS, Math.min(MOST_EPOCHS, CHARACTERS_READ / characters));
        return options.trainer((int) epochs, LEARNING_RATE);
    }

    @Override
    public History fit(Trainer trainer, Checkpoints checkpoints) {
        return model.fit(data, trainer, checkpoints);
    }

    @Override
    public void save(Path file) throws IOException {
        model.save(file);
    }

    @Override
    public List<String> show(TrainResult result) {
        List<String> shown = new ArrayList<>();
        if (Double.isFinite(result.perplexity())) {
            shown.add(String.format(
                    Locale.ROOT,
                    "Perplexity on the text held back: %.2f (as hard as a choice among so many characters)",
                    result.perplexity()));
        }
        shown.add(options.shuffleLines ? "Lines it writes:" : "What it writes:");
        for (String line : samples()) shown.add("  " + line);
        return shown;
    }

    private List<String> samples() {
        if (!options.shuffleLines)
            return model.generateText("", SAMPLE, sampling(0)).lines().toList();
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < LINES; i++) lines.add(model.generateLine("", SAMPLE, sampling(i)));
        return lines;
    }

    private Sampling sampling(int index) {
        return new Sampling(GenerateCommand.TEMPERATURE, 0, options.seed + index);
    }

    @Override
    public String next(Path file) {
        return Shell.elman("generate", file) + (options.shuffleLines ? " --one-line" : "");
    }

    @Override
    public void close() {
        model.close();
    }
}
