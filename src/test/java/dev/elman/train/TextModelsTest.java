package dev.elman.train;

import static dev.elman.train.Refusals.missing;
import static dev.elman.train.Refusals.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.contract.Intercepted;
import dev.elman.contract.OnReference;
import dev.elman.io.ModelFileException;
import dev.elman.io.Mutations;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnn;
import dev.elman.rnn.SimpleRnnConfig;
import dev.elman.text.TextPreprocessing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class TextModelsTest extends OnReference {
    private static final List<String> TEXTS = List.of("Montag", "Freitag", "Sonntag", "lundi", "mardi", "jeudi");
    private static final List<String> LABELS = List.of("de", "de", "de", "fr", "fr", "fr");

    @TempDir
    private Path folder;

    private TextClassifier classifier() {
        return TextClassifier.create(
                backend,
                TEXTS,
                LABELS,
                shape -> shape.embeddingSize(4).hiddenSize(6).seed(2));
    }

    private TextGenerator generator() {
        return TextGenerator.create(backend, List.of("ab"), shape -> shape.withSizes(4, 4));
    }

    private static Trainer trainer() {
        return Trainer.builder().epochs(20).optimizer(Optimizer.adam(0.02)).build();
    }

    @Test
    void theNetworkReadsWhatInputGives() {
        try (TextClassifier model = classifier()) {
            float[][] expected = model.predictProba(TEXTS);
            assertArrayEquals(expected, model.model().predictProba(model.input(TEXTS)));
            assertArrayEquals(
                    expected,
                    model.predictProba(TEXTS.stream()
                            .map(text -> text.toUpperCase(Locale.ROOT))
                            .toList()));
            History history = model.model()
                    .fit(
                            model.data(TEXTS, LABELS),
                            model.data(TEXTS, LABELS),
                            trainer(),
                            Team.alone(),
                            Checkpoints.none());
            assertEquals(1, history.last().validationAccuracy());
        }
    }

    @Test
    void aClassifierIsMadeForShortTextsUnlessShaped() {
        try (TextClassifier model = TextClassifier.create(backend, TEXTS, LABELS, shape -> shape)) {
            ClassifierConfig config = model.model().config();
            assertEquals(
                    ClassifierConfig.tokens(config.vocabulary(), 2)
                            .embeddingSize(64)
                            .hiddenSize(128)
                            .bidirectional(true)
                            .output(Output.MAX)
                            .inputDropout(.1)
                            .dropout(.2)
                            .labelSmoothing(.1)
                            .build(),
                    config);
        }
        Trainer trainer = TextClassifier.defaultTrainer().build();
        assertEquals(20, trainer.epochs());
        assertEquals(64, trainer.batchSize());
        assertEquals(Optimizer.adamW(.004, .01), trainer.optimizer());
        assertEquals(.5, trainer.schedule().factor(50, 100), 1e-12);
        assertEquals(1, trainer.clipNorm());
    }

    @Test
    void textsAndLabelsComeInPairs() {
        refused("1 labels for 2 texts", () -> TextClassifier.train(backend, List.of("a", "b"), List.of("x")));
        refused("there are no texts", () -> TextClassifier.train(backend, List.of(), List.of()));
        try (TextClassifier model = classifier()) {
            refused("1 labels for 2 texts", () -> model.fit(List.of("a", "b"), List.of("de"), trainer()));
        }
    }

    @Test
    void classifierSurvivesItsFile() throws IOException {
        Path file = folder.resolve("days.safetensors");
        float[][] before;
        try (TextClassifier model = classifier()) {
            model.fit(TEXTS, LABELS, trainer());
            assertEquals(LABELS, model.predict(TEXTS));
            assertEquals("de", model.predict("Dienstag"));
            assertEquals(1, model.evaluate(TEXTS, LABELS).accuracy());
            before = model.predictProba(List.of("Samstag", "samedi", ""));
            model.save(file);
        }
        try (TextClassifier model = TextClassifier.load(backend, file)) {
            float[][] after = model.predictProba(List.of("Samstag", "samedi", ""));
            for (int n = 0; n < before.length; n++) assertArrayEquals(before[n], after[n], 1e-6f);
            assertEquals(List.of("de", "fr"), model.labels());
        }
    }

    @Test
    void theAnswerToEachBeginningOfAText() {
        try (TextClassifier model = classifier()) {
            String text = "Mo\uD83D\uDE00n"; // one character of two chars
            assertEquals(List.of("M", "Mo", "Mo\uD83D\uDE00", text), TextClassifier.prefixes(text));
            float[][] grown = model.predictPrefixes(text);
            assertEquals(4, grown.length);
            assertArrayEquals(model.predictProba(List.of("Mo"))[0], grown[1], 1e-6f);
            assertArrayEquals(model.predictProba(List.of(text))[0], grown[3], 1e-6f);
            assertEquals(0, model.predictPrefixes("").length);
        }
    }

    @Test
    void generatorSurvivesItsFile() throws IOException {
        Path file = folder.resolve("texts.safetensors");
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 40; i++) texts.add("abab");
        String before;
        try (TextGenerator model = TextGenerator.create(
                backend, texts, shape -> shape.withSizes(4, 12).withDropout(0).withWindow(10))) {
            Trainer trainer = Trainer.builder()
                    .epochs(80)
                    .batchSize(4)
                    .optimizer(Optimizer.adam(0.02))
                    .build();
            model.fit(texts, trainer);
            assertTrue(model.evaluate(texts).perplexity() < 1.2);
            before = model.generateLine("", 20, new Sampling(1, 1, 0));
            assertEquals("abab", before, "and ends by itself");
            assertEquals("abab\nabab\nab", model.generateText("", 12, new Sampling(1, 1, 0)), "and goes on");
            assertEquals("abab", model.generateLine("ab", 20, new Sampling(1, 1, 0)));
            List<String> given = new ArrayList<>();
            assertEquals("abab", model.generateLine("ab", 20, new Sampling(1, 1, 0), given::add));
            assertEquals(List.of("a", "b"), given, "behind the prompt");
            model.generateText("abab", 3, new Sampling(1, 1, 0), given::add);
            assertEquals(List.of("a", "b", "\n", "a", "b"), given);
            model.save(file);
        }
        try (TextGenerator model = TextGenerator.load(backend, file)) {
            assertEquals(before, model.generateLine("", 20, new Sampling(1, 1, 0)));
        }
        ModelFileException e = assertThrows(ModelFileException.class, () -> TextClassifier.load(backend, file));
        assertTrue(e.getMessage().contains("text-generator"), e.getMessage());
    }

    @Test
    void aShapeOfOtherTextsOrLabelsIsRefused() {
        int v;
        try (TextClassifier model = classifier()) {
            v = model.model().config().vocabulary();
        }
        refused(
                "need V = " + v + " and K = 2, but the shape has V = " + (v + 1) + " and K = 2",
                () -> TextClassifier.create(backend, TEXTS, LABELS, shape -> ClassifierConfig.tokens(v + 1, 2)));
        refused(
                "the shape has V = " + v + " and K = 3",
                () -> TextClassifier.create(backend, TEXTS, LABELS, shape -> ClassifierConfig.tokens(v, 3)));
        refused(
                "need V = 5, but the shape has V = 6",
                () -> TextGenerator.create(backend, List.of("ab"), shape -> LanguageModelConfig.of(6)));
    }

    @Test
    void whatIsClosedIsNotSaved() {
        Path file = folder.resolve("closed.safetensors");
        TextClassifier model = classifier();
        model.close();
        TextGenerator generator = generator();
        generator.close();
        for (Executable save : List.<Executable>of(() -> model.save(file), () -> generator.save(file))) {
            IllegalStateException e = assertThrows(IllegalStateException.class, save);
            assertTrue(e.getMessage().contains("save: this model is closed"), e.getMessage());
        }
    }

    @Test
    void whatNoFileCanHoldIsRefusedBeforeTraining() {
        String half = "a\ud83d";
        refused("label 1 holds half", () -> TextClassifier.train(backend, List.of("a", "b"), List.of("de", half)));
        refused("text 1 holds half", () -> TextClassifier.train(backend, List.of("a", half), List.of("de", "fr")));
        refused("text 0 holds half", () -> TextGenerator.create(backend, List.of(half), shape -> shape));
        try (TextClassifier model = classifier()) {
            assertEquals(1, model.predict(List.of(half)).size(), "to read, it is but an unknown character");
        }
    }

    @Test
    void whatIsNoCharacterIsNeverDrawn() {
        try (TextGenerator model = generator()) {
            // Untrained, every id is about as probable, unknown and padding among them.
            for (int seed = 0; seed < 50; seed++) {
                String text = model.generateLine("", 20, new Sampling(1, 0, seed));
                assertTrue(text.matches("[ab]*"), text);
            }
        }
    }

    @Test
    void weightsThatAreNotNumbersAreNotSaved() {
        Path file = folder.resolve("model.safetensors");
        try (TextClassifier model = classifier()) {
            backend.fill(model.model().weights().get("dense.b"), Double.NaN);
            IllegalStateException e = assertThrows(IllegalStateException.class, () -> model.save(file));
            assertTrue(e.getMessage().contains("dense.b hold NaN"), e.getMessage());
            assertTrue(!Files.exists(file));
        }
    }

    /** As written before there were layers: what a configuration did not say then was as it is unless set. */
    @Test
    void filesOfTheFirstVersionAreRead() throws IOException {
        Path file = folder.resolve("model.safetensors");
        ClassifierConfig classifierConfig;
        try (TextClassifier model = classifier()) {
            classifierConfig = model.model().config();
            model.save(file);
        }
        writeAsFirst(
                file,
                "\"layers\":1,",
                "\"recurrentDropout\":0.0,",
                "\"bias\":true,",
                "\"recurrentBias\":false,",
                "\"merge\":\"CONCAT\",",
                "\"goBackwards\":false,");
        try (TextClassifier model = TextClassifier.load(backend, file)) {
            assertEquals(classifierConfig, model.model().config());
        }
        LanguageModelConfig generatorConfig;
        try (TextGenerator model = generator()) {
            generatorConfig = model.model().config();
            model.save(file);
        }
        writeAsFirst(file, "\"layers\":1,", "\"recurrentDropout\":0.0,", "\"backSteps\":0,", "\"tied\":false,");
        try (TextGenerator model = TextGenerator.load(backend, file)) {
            assertEquals(generatorConfig, model.model().config());
        }
    }

    /** Takes these settings from a file's configuration. */
    private static void writeAsFirst(Path file, String... later) throws IOException {
        SafeTensors good = SafeTensors.read(file);
        String config = good.metadata().get("elman.config");
        for (String setting : later) {
            assertTrue(config.contains(setting), config);
            config = config.replace(setting, "");
        }
        new SafeTensors(good.tensors(), metadata(good, "elman.config", config)).write(file);
    }

    @Test
    void wrongFilesAreNamed() throws IOException {
        Path file = folder.resolve("model.safetensors");
        try (TextClassifier model = classifier()) {
            model.save(file);
        }
        SafeTensors good = SafeTensors.read(file);
        wrong(good, metadata(good, "elman.version", "7"), "elman.version: expected 1, found 7");
        wrong(good, metadata(good, "elman.kind", "other"), "elman.kind: expected text-classifier, found other");
        wrong(good, metadata(good, "elman.config", "{}"), "expected vocabulary");
        wrong(good, metadata(good, "elman.config", "[]"), "ClassifierConfig");
        String config = good.metadata().get("elman.config");
        wrong(good, metadata(good, "elman.config", config.replace("\"classes\":2", "\"classes\":1")), "K = 1");
        wrong(good, metadata(good, "elman.config", config.replace("TANH", "GELU")), "activation");
        wrong(good, metadata(good, "elman.config", config.replace("\"hiddenSize\":6", "\"hiddenSize\":0")), "H = 0");
        // A size that no memory holds must be found before it is allocated.
        wrong(
                good,
                metadata(good, "elman.config", config.replace("\"hiddenSize\":6", "\"hiddenSize\":1000000000")),
                "wx");
        // Nor may the names of all weights be more than memory holds.
        String layers = config.replace("\"layers\":1", "\"layers\":900000000");
        wrong(good, metadata(good, "elman.config", layers), "fewer than 2^31 states");
        layers = layers.replace("\"hiddenSize\":6", "\"hiddenSize\":1");
        wrong(
                good,
                metadata(good, "elman.config", layers),
                "tensors: expected some for each of 900000000 layers, found ");
        wrong(good, metadata(good, "elman.labels", "[\"de\",\"de\"]"), "expected 2 different names");
        wrong(good, metadata(good, "elman.labels", "[\"de\",\"fr\",\"de\"]"), "expected 2 different names");
        wrong(good, metadata(good, "elman.labels", "7"), "expected 2 different names");
        wrong(good, metadata(good, "elman.tokenizer", "{}"), "expected Keras's tokenizer JSON");
        wrong(good, metadata(good, "elman.tokenizer", null), "elman.tokenizer: expected an entry, found none");

        String tokenizer = good.metadata().get("elman.tokenizer");
        String unknown = "\"word_index\": \"{\\\"<unk>\\\": ";
        assertTrue(tokenizer.contains(unknown + "1,"), tokenizer);
        long v = good.tensors().get("embedding.table").shape()[0];
        wrong(
                good,
                metadata(good, "elman.tokenizer", tokenizer.replace(unknown + "1,", unknown + v + ",")),
                "expected ids below " + v + ", found " + v);

        String empty = tokenizer.replaceAll("\"word_index\": \"[^}]*}\"", "\"word_index\": \"{}\"");
        wrong(good, metadata(good, "elman.tokenizer", empty), "expected an id for unknown characters, found none");

        wrongTensorsAreNamed(good);
    }

    @Test
    void wrongFilesOfGeneratorsAreNamed() throws IOException {
        Path file = folder.resolve("model.safetensors");
        try (TextGenerator model = generator()) {
            model.save(file);
        }
        SafeTensors good = SafeTensors.read(file);
        String tokenizer = good.metadata().get("elman.tokenizer");
        wrong(good, metadata(good, "elman.tokenizer", tokenizer.replace("<unk>", "<gone>")), "unknown characters");
        wrongTensorsAreNamed(good);
    }

    private void wrongTensorsAreNamed(SafeTensors good) throws IOException {
        Map<String, NdArray> tensors = new LinkedHashMap<>(good.tensors());
        int k = tensors.get("dense.b").size();
        float[] bias = new float[k];
        bias[1] = Float.NaN;
        tensors.put("dense.b", NdArray.ofFloats(bias, k));
        wrong(tensors, good.metadata(), "dense.b: expected finite weights, found NaN");
        tensors.put("dense.b", NdArray.ofFloats(new float[k], 1, k));
        wrong(tensors, good.metadata(), "dense.b: expected F32 [" + k + "], found F32 [1, " + k + "]");
        tensors.put("dense.b", NdArray.ofInts(new int[k], k));
        wrong(tensors, good.metadata(), "found I32");
        tensors.remove("dense.b");
        wrong(tensors, good.metadata(), "tensors: expected");
    }

    @Test
    void damagedFilesGiveOurErrorAndNoOther() throws IOException {
        Path file = folder.resolve("model.safetensors");
        try (TextClassifier model = classifier()) {
            model.save(file);
        }
        assertDamageIsNamed(file, path -> {
            try (TextClassifier model = TextClassifier.load(backend, path)) {
                model.predict("Montag");
            }
        });
        try (TextGenerator model = TextGenerator.create(backend, TEXTS, shape -> shape.withSizes(4, 4))) {
            model.save(file);
        }
        assertDamageIsNamed(file, path -> {
            try (TextGenerator model = TextGenerator.load(backend, path)) {
                model.generateLine("M", 3, new Sampling(1, 0, 0));
            }
        });
    }

    /** Most of the damage falls on the header, where configuration, labels and tokenizer are. */
    private static void assertDamageIsNamed(Path file, Mutations.Reader reader) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int header = Math.toIntExact(
                ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong());
        int refused = Mutations.check(file, Long.BYTES + header, reader);
        assertTrue(refused > 1000, "only " + refused + " of 2000 mutations were noticed");
    }

    private static Map<String, String> metadata(SafeTensors good, String key, String value) {
        Map<String, String> changed = new LinkedHashMap<>(good.metadata());
        if (value == null) changed.remove(key);
        else changed.put(key, value);
        return changed;
    }

    private void wrong(SafeTensors good, Map<String, String> metadata, String part) throws IOException {
        wrong(good.tensors(), metadata, part);
    }

    private void wrong(Map<String, NdArray> tensors, Map<String, String> metadata, String part) throws IOException {
        Path file = folder.resolve("wrong.safetensors");
        new SafeTensors(tensors, metadata).write(file);
        boolean generator = TextGenerator.KIND.equals(metadata.get("elman.kind"));
        Executable load =
                () -> (generator ? TextGenerator.load(backend, file) : TextClassifier.load(backend, file)).close();
        ModelFileException e = assertThrows(ModelFileException.class, load, part);
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }

    /** As when a device has no memory left for the training, but had for the model. */
    @Test
    void aTrainingThatFailsLeavesNoModel() {
        AtomicInteger allocations = new AtomicInteger();
        Backend counting = Intercepted.allocating(backend, shape -> allocations.incrementAndGet());
        TextClassifier.create(counting, TEXTS, LABELS, shape -> shape).close();
        Backend narrow = Intercepted.allocating(backend, shape -> {
            if (allocations.decrementAndGet() < 0) throw new IllegalStateException("no memory");
        });
        assertThrows(IllegalStateException.class, () -> TextClassifier.train(narrow, TEXTS, LABELS));
    }

    /** There is memory for the weights, and none for their gradients. */
    @Test
    void aModelThatDoesNotFitLeavesNothing() {
        for (Consumer<Backend> creation : List.<Consumer<Backend>>of(
                narrow -> TextClassifier.create(narrow, TEXTS, LABELS, shape -> shape),
                narrow -> TextGenerator.create(narrow, TEXTS, shape -> shape),
                narrow -> SimpleRnn.create(narrow, SimpleRnnConfig.of(2, 3), 1))) {
            AtomicInteger allocations = new AtomicInteger(1);
            Backend narrow = Intercepted.allocating(backend, shape -> {
                if (allocations.decrementAndGet() < 0) throw new IllegalStateException("no memory");
            });
            assertThrows(IllegalStateException.class, () -> creation.accept(narrow));
            assertEquals(0, backend.liveTensors());
        }
    }

    /** An accent may be a character of its own, as in files from a Mac, and in models made before labels were composed. */
    @Test
    void labelsThatLookAlikeAreOne() throws IOException {
        List<String> labels = List.of("fran\u00e7ais", "franc\u0327ais", "de", "de", "franc\u0327ais", "fran\u00e7ais");
        Path file = folder.resolve("model.safetensors");
        Evaluation expected;
        try (TextClassifier model = TextClassifier.create(backend, TEXTS, labels, shape -> shape.hiddenSize(4))) {
            assertEquals(List.of("de", "fran\u00e7ais"), model.labels());
            expected = model.evaluate(TEXTS, labels);
            List<String> composed =
                    labels.stream().map(TextPreprocessing::composed).toList();
            assertEquals(expected.loss(), model.evaluate(TEXTS, composed).loss());
            model.save(file);
        }
        SafeTensors good = SafeTensors.read(file);
        String decomposed = "[\"de\",\"franc\u0327ais\"]";
        new SafeTensors(good.tensors(), metadata(good, "elman.labels", decomposed)).write(file);
        try (TextClassifier model = TextClassifier.load(backend, file)) {
            assertEquals(expected.loss(), model.evaluate(TEXTS, labels).loss());
        }
    }

    @Test
    void unknownLabelsAreNamed() {
        try (TextClassifier model = classifier()) {
            refused("row 1 has the label \"it\"", () -> model.fit(List.of("a", "b"), List.of("de", "it"), trainer()));
        }
        refused(
                "at least 2 classes",
                () -> TextClassifier.create(backend, List.of("a", "b"), List.of("de", "de"), shape -> shape));
    }

    @Test
    void whatIsNullIsNamedAndNotReadAsAWord() {
        List<String> none = Collections.singletonList(null);
        try (TextClassifier model = classifier()) {
            missing("texts", () -> model.predict((List<String>) null));
            refused("text 0 is null", () -> model.predict((String) null));
            refused("text 1 is null", () -> model.predict(Arrays.asList("Montag", null)));
            refused("label 1 is null", () -> model.fit(List.of("a", "b"), Arrays.asList("de", null), trainer()));
        }
        refused("text 0 is null", () -> TextClassifier.create(backend, none, List.of("a", "b"), shape -> shape));
        refused("label 0 is null", () -> TextClassifier.create(backend, List.of("a"), none, shape -> shape));
        try (TextGenerator model = generator()) {
            refused("text 0 is null", () -> model.fit(none, trainer()));
            refused("prompt 0 is null", () -> model.generateLine(null, 5, new Sampling(1, 0, 0)));
        }
    }
}
