package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.text.TextPreprocessing;
import dev.elman.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;

/**
 * Texts like those it was shown, character by character: a {@link Tokenizer} and a {@link LanguageModel}, in one file. It is
 * shown many short texts, each a line, or one long text that has lines of its own. For one thread at a time; a second one is
 * refused.
 */
public final class TextGenerator implements AutoCloseable {
    /** What such a file says of itself in its metadata, under {@code elman.kind}. */
    public static final String KIND = "text-generator";

    private static final String END = "\n";
    private static final String UNKNOWN = "<unk>";
    /** The id that the tokenizer gives to nothing. */
    private static final int PADDING = 0;

    private static final int NONE = -1;

    private final Tokenizer tokenizer;
    private final LanguageModel model;

    private TextGenerator(Tokenizer tokenizer, LanguageModel model) {
        this.tokenizer = tokenizer;
        this.model = model;
    }

    /**
     * A model with fresh weights whose alphabet is that of {@code texts}, composed (Unicode's NFC).
     *
     * @param shape may change any setting of the network but V
     * @throws IllegalArgumentException when a text holds half a surrogate pair and so could not be saved, or the shape has
     *     another V
     */
    public static TextGenerator create(Backend backend, List<String> texts, UnaryOperator<LanguageModelConfig> shape) {
        Tokenizer tokenizer = Tokenizer.builder()
                .charLevel(true)
                .lower(false)
                .oovToken(UNKNOWN)
                .build();
        tokenizer.fitOnTexts(Texts.writable("text", texts).stream()
                .map(TextPreprocessing::composed)
                .toList());
        tokenizer.fitOnTexts(List.of(END));
        int vocabulary = tokenizer.wordIndex().size() + 1;
        LanguageModelConfig config = shape.apply(LanguageModelConfig.of(vocabulary));
        if (config.vocabulary() != vocabulary) {
            throw new IllegalArgumentException("create: the texts need V = " + vocabulary + ", but the shape has V = "
                    + config.vocabulary() + ". Change the configuration that the shape is given, and return it.");
        }
        return new TextGenerator(tokenizer, new LanguageModel(backend, config));
    }

    /** From texts to ids; to look at. To fit it again would change what the ids mean, and the weights would not follow. */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** The network over ids, whose vocabulary counts the padding 0, too. Closed by this generator's {@link #close}. */
    public LanguageModel model() {
        return model;
    }

    /**
     * Trains on these texts, each ended by a line feed, one after another; see {@link LanguageModel#fit}. What is held back
     * for validation is the end.
     */
    public History fit(List<String> texts, Trainer trainer) {
        return fit(texts, trainer, Checkpoints.none());
    }

    /** The same by way of checkpoints; see {@link LanguageModel#fit(int[], Trainer, Checkpoints)}. */
    public History fit(List<String> texts, Trainer trainer, Checkpoints checkpoints) {
        return model.fit(tokens(texts), trainer, checkpoints);
    }

    /** Loss, accuracy and perplexity for each character. */
    public Metrics evaluate(List<String> texts) {
        return model.evaluate(tokens(texts));
    }

    private int[] tokens(List<String> texts) {
        return tokenizer.textToSequence(
                TextPreprocessing.composed(String.join(END, Texts.present("text", texts))) + END);
    }

    /** The characters of a text, each once, that were in none of the texts it was made for; they all count as the same. */
    public String unknownCharacters(String text) {
        return Texts.unknown(tokenizer, text);
    }

    /**
     * One line that begins with {@code prompt}, which may be empty, and ends where a line would.
     *
     * @param longest how many characters are drawn at most
     */
    public String generateLine(String prompt, int longest, Sampling sampling) {
        return generateLine(prompt, longest, sampling, drawn -> {});
    }

    /**
     * The same, which hands on each character when it is drawn.
     *
     * @param each is given the characters behind the prompt, and may not use this model meanwhile
     */
    public String generateLine(String prompt, int longest, Sampling sampling, Consumer<String> each) {
        return generate(prompt, longest, sampling, tokenizer.wordIndex().get(END), each);
    }

    /**
     * A text that begins with {@code prompt}, which may be empty, and goes on over as many lines as it likes.
     *
     * @param length how many characters are drawn
     */
    public String generateText(String prompt, int length, Sampling sampling) {
        return generateText(prompt, length, sampling, drawn -> {});
    }

    /**
     * The same, which hands on each character when it is drawn.
     *
     * @param each is given the characters behind the prompt, and may not use this model meanwhile
     */
    public String generateText(String prompt, int length, Sampling sampling, Consumer<String> each) {
        return generate(prompt, length, sampling, NONE, each);
    }

    private String generate(String prompt, int count, Sampling sampling, int stop, Consumer<String> each) {
        Texts.present("prompt", Collections.singletonList(prompt));
        int unknown = tokenizer.wordIndex().get(UNKNOWN);
        Map<Integer, String> characters = tokenizer.indexWord();
        StringBuilder text = new StringBuilder(prompt);
        IntConsumer one = id -> {
            String character = characters.getOrDefault(id, "");
            text.append(character);
            each.accept(character);
        };
        int[] before = tokenizer.textToSequence(END + TextPreprocessing.composed(prompt));
        model.sample(before, count, sampling, stop, one, PADDING, unknown);
        return text.toString();
    }

    /** Writes weights, configuration and vocabulary; a file of that name is replaced in one move, or not at all. */
    public void save(Path file) throws IOException {
        Map<String, String> metadata =
                Map.of(ModelFile.CONFIG, ModelFile.toJson(model.config()), ModelFile.TOKENIZER, tokenizer.toJson());
        model.network().save(file, KIND, metadata);
    }

    /**
     * Reads what {@link #save} wrote.
     *
     * @throws dev.elman.io.ModelFileException when the file is not such a model, naming what is wrong
     */
    public static TextGenerator load(Backend backend, Path file) throws IOException {
        ModelFile saved = ModelFile.read(file, KIND);
        LanguageModelConfig config = saved.config(LanguageModelConfig.class);
        Tokenizer tokenizer = saved.tokenizer(config.vocabulary());
        for (String needed : List.of(END, UNKNOWN)) {
            if (!tokenizer.wordIndex().containsKey(needed)) {
                throw saved.wrongEntry(ModelFile.TOKENIZER, "ids for line feeds and unknown characters", "none");
            }
        }
        saved.check(config.specs());
        LanguageModel model = LanguageModel.zeros(backend, config);
        saved.load(model.weights(), model::close);
        return new TextGenerator(tokenizer, model);
    }

    @Override
    public void close() {
        model.close();
    }
}
