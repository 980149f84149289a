package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.rnn.Output;
import dev.elman.text.TextPreprocessing;
import dev.elman.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * One label for each text: a {@link Tokenizer}, a {@link SimpleRnnClassifier} and the labels' names, in one file. Texts are read
 * in lower case, as Keras's Tokenizer does, between two characters that say where they begin and end: {@link #input} gives what
 * the network reads. For one thread at a time; a second one is refused.
 */
public final class TextClassifier implements AutoCloseable {
    /** What such a file says of itself in its metadata, under {@code elman.kind}. */
    public static final String KIND = "text-classifier";

    private static final String UNKNOWN = "<unk>";
    /** Characters that no text holds, so that the network sees where a text begins and ends. */
    private static final String BEGIN = "\u0002";

    private static final String END = "\u0003";

    private final Tokenizer tokenizer;
    private final List<String> labels;
    private final SimpleRnnClassifier model;

    private TextClassifier(Tokenizer tokenizer, List<String> labels, SimpleRnnClassifier model) {
        this.tokenizer = tokenizer;
        this.labels = List.copyOf(labels);
        this.model = model;
    }

    /**
     * A model with fresh weights that reads texts character by character, in two directions, and takes the largest value
     * of each channel over the text. Its alphabet is that of {@code texts}, its labels are those of {@code labels}, sorted; both
     * are composed (Unicode's NFC).
     *
     * @param shape may change any setting of the network but V and K
     * @throws IllegalArgumentException when there are no texts, not one label a text, or fewer than two labels, a text or label
     *     holds half a surrogate pair and so could not be saved, or the shape has another V or K
     */
    public static TextClassifier create(
            Backend backend, List<String> texts, List<String> labels, UnaryOperator<ClassifierConfig.Builder> shape) {
        Tokenizer tokenizer =
                Tokenizer.builder().charLevel(true).oovToken(UNKNOWN).build();
        tokenizer.fitOnTexts(bounded(Texts.writable("text", texts)));
        List<String> names = Texts.writable("label", labels).stream()
                .map(TextPreprocessing::composed)
                .distinct()
                .sorted()
                .toList();
        requireOneLabelEach("create", texts, labels);
        int vocabulary = tokenizer.wordIndex().size() + 1;
        ClassifierConfig.Builder builder = ClassifierConfig.tokens(vocabulary, names.size())
                .embeddingSize(64)
                .bidirectional(true)
                .output(Output.MAX)
                .inputDropout(0.1)
                .dropout(0.2)
                .labelSmoothing(0.1);
        ClassifierConfig config = shape.apply(builder).build();
        if (config.vocabulary() != vocabulary || config.classes() != names.size()) {
            throw new IllegalArgumentException("create: the texts and labels need V = " + vocabulary + " and K = "
                    + names.size() + ", but the shape has V = " + config.vocabulary() + " and K = " + config.classes()
                    + ". Change the builder that the shape is given, and return it.");
        }
        return new TextClassifier(tokenizer, names, new SimpleRnnClassifier(backend, config));
    }

    /** {@link #create} and {@link #fit} with a trainer and a network that do well on short texts. */
    public static TextClassifier train(Backend backend, List<String> texts, List<String> labels) {
        TextClassifier classifier = create(backend, texts, labels, UnaryOperator.identity());
        try {
            classifier.fit(texts, labels, defaultTrainer().build());
            return classifier;
        } catch (RuntimeException | Error e) {
            classifier.close();
            throw e;
        }
    }

    /** What {@link #train} trains with: AdamW, a cosine schedule, 20 epochs. */
    public static Trainer.Builder defaultTrainer() {
        return Trainer.builder()
                .epochs(20)
                .batchSize(64)
                .optimizer(Optimizer.adamW(0.004, 0.01))
                .schedule(LearningRateSchedule.cosine())
                .clipNorm(1);
    }

    /** The names of the classes, in the order of the probabilities. */
    public List<String> labels() {
        return labels;
    }

    /** From texts to ids; to look at. To fit it again would change what the ids mean, and the weights would not follow. */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** The network over ids, whose class k is entry k of {@link #labels}. Closed by this classifier's {@link #close}. */
    public SimpleRnnClassifier model() {
        return model;
    }

    /**
     * Trains on these texts.
     *
     * @throws IllegalArgumentException when a label is not one of {@link #labels}, there are no texts, or not one label a
     *     text
     * @throws TrainingDivergedException when the loss is no longer a number; the model has its last good weights
     */
    public History fit(List<String> texts, List<String> labelOfText, Trainer trainer) {
        return model.fit(data(texts, labelOfText), trainer, Team.alone(), Checkpoints.none());
    }

    /**
     * What the network reads of these texts: ids of their characters, in lower case and composed (Unicode's NFC), and of their
     * begin and end.
     */
    public SequenceInput input(List<String> texts) {
        return SequenceInput.tokens(tokenizer.textsToSequences(bounded(texts)));
    }

    /**
     * What {@link #fit} gives {@link #model} to learn from: for its own {@code fit}, with checkpoints, a team, weights, or texts to
     * validate on.
     *
     * @throws IllegalArgumentException as {@link #fit}
     */
    public TrainingData data(List<String> texts, List<String> labelOfText) {
        requireOneLabelEach("fit", texts, labelOfText);
        return TrainingData.of(input(texts), classes("fit", labelOfText));
    }

    private static void requireOneLabelEach(String operation, List<String> texts, List<String> labels) {
        if (texts.isEmpty()) throw new IllegalArgumentException(operation + ": there are no texts. Give at least one.");
        if (texts.size() != labels.size()) {
            throw new IllegalArgumentException(operation + ": there must be one label a text, but there are "
                    + labels.size() + " labels for " + texts.size() + " texts.");
        }
    }

    /** The probability of each label, [N,K], in the order of {@link #labels}. */
    public float[][] predictProba(List<String> texts) {
        return model.predictProba(input(texts));
    }

    /**
     * How the answer grows while the text does, [T,K]: row t holds the probabilities of the labels for the text that ends
     * after its first t+1 characters, as {@link #predictProba} gives them, so the last row is the answer for the whole text.
     * It is not what the network passes through on its way to that answer: that reads in two directions and takes the
     * largest value of each channel, and so has no answer half way. So each row is a reading of its own: the time grows with
     * the square of T.
     *
     * @param text T characters; empty, it has no rows
     */
    public float[][] predictPrefixes(String text) {
        return predictProba(prefixes(text));
    }

    /** The first character of a text, the first two, and so on to the whole of it: T texts. */
    public static List<String> prefixes(String text) {
        List<String> prefixes = new ArrayList<>();
        for (int end = 0; end < text.length(); ) {
            end = text.offsetByCodePoints(end, 1);
            prefixes.add(text.substring(0, end));
        }
        return prefixes;
    }

    /** The characters of a text, each once, that were in none of the texts it was made for; they all count as the same. */
    public String unknownCharacters(String text) {
        return Texts.unknown(tokenizer, text);
    }

    /** The most probable label of each text. */
    public List<String> predict(List<String> texts) {
        List<String> result = new ArrayList<>();
        for (int k : model.predict(input(texts))) result.add(labels.get(k));
        return result;
    }

    /** The most probable label of one text. */
    public String predict(String text) {
        return predict(Collections.singletonList(text)).get(0);
    }

    /** Loss, accuracy and confusion on these texts; throws as {@link #fit}. */
    public Evaluation evaluate(List<String> texts, List<String> labelOfText) {
        return model.evaluate(input(texts), classes("evaluate", labelOfText));
    }

    private static List<String> bounded(List<String> texts) {
        return Texts.present("text", texts).stream()
                .map(text -> BEGIN + TextPreprocessing.composed(text) + END)
                .toList();
    }

    private int[] classes(String operation, List<String> labelOfText) {
        Map<String, Integer> index = new HashMap<>();
        // An older model has its labels as its texts' file had them.
        for (int k = 0; k < labels.size(); k++) index.put(TextPreprocessing.composed(labels.get(k)), k);
        int[] classes = new int[Texts.present("label", labelOfText).size()];
        for (int n = 0; n < classes.length; n++) {
            Integer k = index.get(TextPreprocessing.composed(labelOfText.get(n)));
            if (k == null) {
                throw new IllegalArgumentException(operation + ": row " + n + " has the label \"" + labelOfText.get(n)
                        + "\", which the model does not know; it knows " + labels + ".");
            }
            classes[n] = k;
        }
        return classes;
    }

    /** Writes weights, configuration, vocabulary and labels; a file of that name is replaced in one move, or not at all. */
    public void save(Path file) throws IOException {
        Map<String, String> metadata = Map.of(
                ModelFile.CONFIG, ModelFile.toJson(model.config()),
                ModelFile.LABELS, ModelFile.toJson(labels),
                ModelFile.TOKENIZER, tokenizer.toJson());
        model.network().save(file, KIND, metadata);
    }

    /**
     * Reads what {@link #save} wrote.
     *
     * @throws dev.elman.io.ModelFileException when the file is not such a model, naming what is wrong
     */
    public static TextClassifier load(Backend backend, Path file) throws IOException {
        ModelFile saved = ModelFile.read(file, KIND);
        ClassifierConfig config = saved.config(ClassifierConfig.class);
        List<String> labels = saved.labels(config.classes());
        Tokenizer tokenizer = saved.tokenizer(config.vocabulary());
        if (tokenizer.oovToken().filter(tokenizer.wordIndex()::containsKey).isEmpty()) {
            throw saved.wrongEntry(ModelFile.TOKENIZER, "an id for unknown characters", "none");
        }
        saved.check(config.specs());
        SimpleRnnClassifier model = SimpleRnnClassifier.zeros(backend, config);
        saved.load(model.weights(), model::close);
        return new TextClassifier(tokenizer, labels, model);
    }

    @Override
    public void close() {
        model.close();
    }
}
