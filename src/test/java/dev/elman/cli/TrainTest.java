package dev.elman.cli;

import static dev.elman.cli.PredictTest.first;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.elman.backend.Backend;
import dev.elman.contract.ChildJvm;
import dev.elman.contract.Required;
import dev.elman.io.SafeTensors;
import dev.elman.reference.ReferenceBackend;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.EpochResult;
import dev.elman.train.History;
import dev.elman.train.LanguageModelConfig;
import dev.elman.train.LearningRateSchedule;
import dev.elman.train.Optimizer;
import dev.elman.train.TextClassifier;
import dev.elman.train.Trainer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainTest {
    @TempDir
    private Path folder;

    private Path file;
    private Path model;

    @BeforeEach
    void paths() {
        file = folder.resolve("texts");
        model = folder.resolve("model.safetensors");
    }

    /** Numbers and letters, so different that a few epochs tell them apart. */
    static String digitsAndLetters() {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            lines.append("digits\t").append(1000 + 37 * i).append('\n');
            lines.append("letters\t").append("abcdefgh", i % 4, 4 + i % 4).append('\n');
        }
        return lines.toString();
    }

    /** Options that a test names come in place of these. */
    private Outcome train(String... options) {
        List<String> args = new ArrayList<>(List.of("train", file.toString(), "--out", model.toString()));
        args.addAll(List.of("--backend", "reference", "--hidden", "8", "--embedding", "4"));
        if (!List.of(options).contains("--epochs")) args.addAll(List.of("--epochs", "8"));
        args.addAll(List.of(options));
        return Outcome.of(args);
    }

    @Test
    void classifierLearnsAndAnswers() throws IOException {
        Files.writeString(file, digitsAndLetters());
        Outcome trained = train("--batch-size", "8", "--learning-rate", "0.02");
        assertEquals(0, trained.code(), trained.err());
        assertTrue(trained.out().contains("classify, because every line has a tab"), trained.out());
        assertTrue(trained.out().contains("80 texts with 2 labels (digits, letters)"), trained.out());
        assertTrue(trained.out().contains("Epoch 1/8"), trained.out());
        assertTrue(trained.out().contains("Accuracy on the texts held back: 1.000"), trained.out());
        assertFalse(trained.out().contains("\r"), "nobody watches");
        assertEquals(
                1400, ImageIO.read(folder.resolve("model.curve.png").toFile()).getWidth());

        Outcome asked = Outcome.of("predict", model.toString(), "2024", "efgh");
        assertEquals(0, asked.code(), asked.err());
        List<String> lines = asked.out().lines().toList();
        assertTrue(lines.get(0).matches("2024 +digits +0\\.\\d{3} +letters +0\\.\\d{3}"), asked.out());
        assertTrue(lines.get(1).matches("efgh +letters +0\\.\\d{3} +digits +0\\.\\d{3}"), asked.out());
    }

    /** What the file says of the network that was asked for. */
    @Test
    void theNetworkIsWhatWasAskedFor() throws IOException {
        Files.writeString(file, digitsAndLetters());
        List<String> options = List.of("--epochs", "2", "--layers", "2", "--no-bidirectional");
        Outcome trained =
                train(Outcome.line(options, "--recurrent-dropout", "0.25", "--dropout", "0.3", "--seed", "5"));
        assertEquals(0, trained.code(), trained.err());
        try (Backend backend = new ReferenceBackend();
                TextClassifier classifier = TextClassifier.load(backend, model)) {
            ClassifierConfig config = classifier.model().config();
            assertEquals(2, config.layers());
            assertFalse(config.bidirectional());
            assertEquals(5, config.seed());
            assertEquals(.25, config.recurrentDropout());
            assertEquals(.3, config.dropout());
            assertEquals(8, config.hiddenSize());
            assertEquals(4, config.inputSize());
        }
        Outcome asked = Outcome.of("predict", model.toString(), "2024");
        assertEquals(0, asked.code(), asked.err());
    }

    /** What the help says of them is so. */
    @Test
    void settingsThatNobodyAskedFor() throws IOException {
        String help = Outcome.of("train", "--help").out().replaceAll("\\s+", " ");
        for (String said : List.of(
                "20 to classify; to generate, so often that 10 million characters are read, 3 to 100 times",
                "read side by side (default: 32)",
                "128 to classify, 512 to generate",
                "default: 64, with --tied as many as --hidden",
                "Of AdamW, falling along a cosine (default: 0.002 to classify, 0.004 to generate)",
                "0.2 to classify, 0.1 to generate",
                "Read texts from both ends (the default)",
                "truncated back-propagation (default: 64)",
                "the end of the text (default: 0.1)",
                "default: 5 where texts are held back")) {
            assertTrue(help.contains(said), said + " in " + help);
        }
        assertTrue(
                Outcome.of("generate", "--help").out().replaceAll("\\s+", " ").contains("(default: 0.7)"));
        TextFile texts = new TextFile(file, List.of("a\tx", "b\ty"));
        try (Backend backend = new ReferenceBackend();
                ClassifyTask classifier = ClassifyTask.of(backend, texts, new TrainOptions());
                GenerateTask generator = GenerateTask.of(backend, texts, new TrainOptions())) {
            ClassifierConfig network = classifier.model().model().config();
            assertEquals(128, network.hiddenSize());
            assertEquals(64, network.inputSize());
            assertEquals(.2, network.dropout());
            assertTrue(network.bidirectional());
            assertEquals(
                    LanguageModelConfig.of(8).withSizes(64, 512).withDropout(.1).withWindow(64, 64),
                    generator.model().model().config());
            assertTrainer(20, .002, classifier.trainer().build());
            assertTrainer(100, .004, generator.trainer().build());
            GenerateTask large = new GenerateTask(List.of(), Long.MAX_VALUE, null, new TrainOptions());
            assertTrainer(3, .004, large.trainer().build());
        }
    }

    private static void assertTrainer(int epochs, double rate, Trainer trainer) {
        assertEquals(epochs, trainer.epochs());
        assertEquals(32, trainer.batchSize());
        assertEquals(Optimizer.adamW(rate, .01), trainer.optimizer());
        LearningRateSchedule expected = LearningRateSchedule.cosine().withWarmup(.05);
        for (int step : new int[] {0, 3, 50}) {
            assertEquals(expected.factor(step, 100), trainer.schedule().factor(step, 100), "step " + step);
        }
        assertEquals(1, trainer.clipNorm());
        assertEquals(.1, trainer.validationSplit());
        assertEquals(5, trainer.patience());
    }

    /** Blanks at the ends, and whether an accent is a character of its own, are nothing that one sees. */
    @Test
    void whatLooksAlikeIsReadAlike() throws IOException {
        Files.writeString(file, digitsAndLetters().replace("a", "\u00e1"));
        assertEquals(0, train("--batch-size", "8").code());
        Outcome asked = Outcome.of("predict", model.toString(), "\u00e1bcd", " a\u0301bcd ", "--json");
        assertEquals("", asked.err());
        JsonObject one = asked.json().getAsJsonArray("predictions").get(0).getAsJsonObject();
        JsonObject other = asked.json().getAsJsonArray("predictions").get(1).getAsJsonObject();
        assertEquals(one.get("labels"), other.get("labels"));
        Outcome unknown = Outcome.of("predict", model.toString(), "a\u4e00\u4e00\u0007", "a\u4e00");
        assertEquals(0, unknown.code());
        assertTrue(unknown.err().contains("has never read any of \"a\u4e00\\u0007\"; it answers"), unknown.err());
    }

    /** Labels too, also those of a model that was made before they were composed. */
    @Test
    void labelsThatLookAlikeAreOne() throws IOException {
        Files.writeString(
                file,
                digitsAndLetters().replace("letters", "lettre\u0301s").replaceFirst("lettre\u0301s", "lettr\u00e9s"));
        Outcome trained = train("--epochs", "1");
        assertEquals(0, trained.code(), trained.err());
        assertTrue(trained.out().contains("80 texts with 2 labels (digits, lettr\u00e9s)"), trained.out());
        Path others = folder.resolve("others");
        Files.writeString(others, "digits\t2024\nlettre\u0301s\tefgh\nlettr\u00e9s\tabcd\n");
        Outcome measured = Outcome.of("evaluate", model.toString(), others.toString());
        assertEquals(0, measured.code(), measured.err());
        assertTrue(measured.out().contains("the most frequent label alone: 0.667"), measured.out());
        SafeTensors good = SafeTensors.read(model);
        Map<String, String> metadata = new LinkedHashMap<>(good.metadata());
        metadata.put("elman.labels", "[\"digits\",\"lettre\u0301s\"]");
        new SafeTensors(good.tensors(), metadata).write(model);
        Outcome older = Outcome.of("evaluate", model.toString(), others.toString());
        assertEquals(0, older.code(), older.err());
        assertEquals(measured.out().lines().findFirst(), older.out().lines().findFirst());
        Outcome asked = Outcome.withInput("lettr\u00e9s\tefgh\n", "predict", model.toString());
        assertTrue(asked.err().contains("the lines have labels"), asked.err());
    }

    /** Where there is a model already, a training that is stopped is saved beside it. */
    @Test
    void theModelToGoOnWithIsNotOverwrittenByCtrlC() throws IOException {
        Files.writeString(file, digitsAndLetters());
        assertEquals(0, train("--no-pictures", "--epochs", "1").code());
        Path stopped = folder.resolve("model.stopped.safetensors");
        Files.move(model, stopped);
        Outcome first = trainFurther(stopped);
        assertEquals(0, first.code(), first.err());
        byte[] before = Files.readAllBytes(model);
        Outcome second = trainFurther(stopped);
        assertEquals(2, second.code());
        assertTrue(
                second.err().contains(stopped + ": is the model of --init, and Ctrl-C would replace it"), second.err());
        assertTrue(second.err().contains("name another --out"), second.err());
        assertArrayEquals(before, Files.readAllBytes(model));
        Outcome inPlace = trainFurther(model);
        assertEquals(0, inPlace.code(), inPlace.err());
    }

    private Outcome trainFurther(Path init) {
        List<String> words = List.of("train", file.toString(), "--init", init.toString(), "--out", model.toString());
        return Outcome.of(words, "--epochs=1", "--no-pictures", "--backend=reference");
    }

    /** At a rate at which nothing is learnt, what the model answers is what it answered before. */
    @Test
    void aModelIsTrainedFurther() throws IOException {
        Files.writeString(file, digitsAndLetters());
        assertEquals(0, train("--batch-size", "8", "--learning-rate", "0.02").code());
        Path further = folder.resolve("further.safetensors");
        Path others = Files.writeString(folder.resolve("others"), "digits\t2024\nletters\te\u4e00fg\n".repeat(5));
        List<String> words = List.of(
                "train",
                others.toString(),
                "--init",
                model.toString(),
                "--out",
                further.toString(),
                "--epochs=1",
                "--learning-rate=1e-9",
                "--no-pictures",
                "--backend=reference");
        Outcome trained = Outcome.of(words);
        assertEquals(0, trained.code(), trained.err());
        assertTrue(trained.out().contains("classify, going on with " + model + ": a classifier of 10"), trained.out());
        assertTrue(trained.err().contains("has never read any of \"\u4e00\"; it cannot tell them"), trained.err());
        JsonObject before =
                Outcome.of("predict", model.toString(), "2024", "--json").json();
        JsonObject after =
                Outcome.of("predict", further.toString(), "2024", "--json").json();
        double was = first(before.getAsJsonArray("predictions").get(0).getAsJsonObject())
                .get("probability")
                .getAsDouble();
        double is = first(after.getAsJsonArray("predictions").get(0).getAsJsonObject())
                .get("probability")
                .getAsDouble();
        assertTrue(was > 0.8);
        assertEquals(was, is, 1e-4);

        for (String[] wrong : new String[][] {
            {"leave out --hidden: the model that --init names says it", "--hidden", "8"},
            {"leave out --bidirectional: the model", "--no-bidirectional"},
            {"is a model to classify; leave out --task, or name another --init", "--task", "generate"}
        }) {
            Outcome refused = Outcome.of(words, Arrays.copyOfRange(wrong, 1, wrong.length));
            assertEquals(2, refused.code());
            assertTrue(refused.err().contains(wrong[0]), refused.err());
        }
        Files.writeString(others, "digits\t2024\nsigns\t+-\n");
        Outcome unknown = Outcome.of(words);
        assertEquals(2, unknown.code());
        assertTrue(
                unknown.err().contains("line 2 has the label \"signs\", which the model does not know"), unknown.err());
        Files.writeString(others, "signs\t+-\n");
        assertTrue(Outcome.of(words).err().contains("line 1 has the label \"signs\""));
    }

    /** All lines of the file are learnt from, those of the other are measured with. */
    @Test
    void textsToMeasureWithMayBeGiven() throws IOException {
        Files.writeString(file, digitsAndLetters());
        Path others = Files.writeString(folder.resolve("others"), "digits\t2024\nletters\tefgh\ndigits\tefgh\n");
        String[] options = {"--batch-size=8", "--learning-rate=0.02", "--no-pictures", "--validation", others.toString()
        };
        Outcome trained = train(options);
        assertEquals(0, trained.code(), trained.err());
        assertTrue(
                trained.out().contains("80 texts with 2 labels (digits, letters), validated on 3 others"),
                trained.out());
        assertTrue(trained.out().contains("val_acc 0.6667"), trained.out());
        assertTrue(
                trained.out()
                        .contains("Accuracy on the texts of " + others
                                + ": 0.667 (the most frequent label alone: 0.667)"),
                trained.out());
        Files.writeString(others, "digits\t2024\n\nsigns\t+-\n");
        Outcome unknown = train(options);
        assertEquals(2, unknown.code());
        assertTrue(
                unknown.err().contains("others: line 3 has the label \"signs\", which the model does not know"),
                unknown.err());
        Outcome both = train("--validation", others.toString(), "--validation-split", "0.2");
        assertEquals(2, both.code());
        assertTrue(both.err().contains("mutually exclusive"), both.err());
    }

    @Test
    void theBaselineIsToldWithTheAccuracy() throws IOException {
        Files.writeString(file, digitsAndLetters() + "digits\t1\n".repeat(20));
        Outcome held = train("--no-pictures", "--epochs", "1");
        assertTrue(
                held.out()
                        .matches(
                                "(?s).*held back: \\d\\.\\d{3} \\(the most frequent label alone, of all texts: 0\\.600\\)\\R.*"),
                held.out());
        Outcome all = train("--no-pictures", "--epochs", "1", "--validation-split", "0");
        assertTrue(all.out().contains("(the most frequent label alone: 0.600); none were held back"), all.out());
    }

    /** The training goes on: a file may be meant as it is. */
    @Test
    void whatMayBeAMistakeInTheFileIsTold() throws IOException {
        Files.writeString(file, "language\tname\n" + digitsAndLetters());
        Outcome header = train("--no-pictures", "--epochs", "1");
        assertEquals(0, header.code(), header.err());
        assertEquals(
                "elman train: " + file
                        + ": the first line is the only one with the label \"language\"; if it is a header,"
                        + " remove it.",
                header.err().strip());
        Path csv = Files.writeString(
                folder.resolve("names.csv"), digitsAndLetters().replace('\t', ','));
        Outcome commas = Outcome.of(
                "train", csv.toString(), "--out", model.toString(), "--epochs=1", "--hidden=4", "--no-pictures");
        assertTrue(
                commas.out()
                        .contains("generate, because line 1 has no tab (labels need a tab, not a comma, between label"
                                + " and text): a language model"),
                commas.out());
    }

    @Test
    void resultAsJson() throws IOException {
        Files.writeString(file, digitsAndLetters());
        Outcome trained = train("--json", "--epochs", "1");
        assertEquals(0, trained.code(), trained.err());
        JsonObject result = trained.json();
        assertEquals("classify", result.get("task").getAsString());
        assertEquals("reference", result.get("backend").getAsString());
        assertEquals(80, result.get("texts").getAsInt());
        assertEquals(1, result.get("epochs").getAsInt());
        assertEquals(model.toString(), result.get("file").getAsString());
        for (String number : List.of("loss", "accuracy", "validationLoss", "validationAccuracy", "seconds")) {
            assertTrue(result.get(number).getAsDouble() >= 0, number);
        }
        assertTrue(result.get("perplexity").isJsonNull());
        assertTrue(trained.err().contains("Epoch 1/1"), trained.err());
    }

    @Test
    void sameSeedSameFile() throws IOException {
        Files.writeString(file, digitsAndLetters());
        assertEquals(0, train("--epochs", "1", "--seed", "7").code());
        byte[] first = Files.readAllBytes(model);
        assertEquals(0, train("--epochs", "1", "--seed", "7").code());
        assertArrayEquals(first, Files.readAllBytes(model));
    }

    @Test
    void whatIsAroundLabelsAndTextsIsNoPartOfThem() throws IOException {
        Files.writeString(file, "\uFEFFde\t Montag \r\n fr \tlundi\n");
        LabelledTexts texts = LabelledTexts.read(TextFile.read(file));
        assertEquals(List.of("de", "fr"), texts.labels());
        assertEquals(List.of("Montag", "lundi"), texts.texts());
    }

    static Stream<Arguments> badFiles() {
        return Stream.of(
                bad("", "is empty"),
                bad("\n  \n", "has nothing but blank lines; give at least a few lines of text"),
                bad("a\tx\nb\ty\nc z\n", "line 3 has no tab", "--task", "classify"),
                bad("a\tx\n\ty\n", "line 2 has no label before its tab"),
                bad("a\tx\n\nb\t\n", "line 3 has no text after its tab"),
                bad("a\tx\na\ty\n", "every line has the label \"a\""),
                bad(
                        "a\tx\nb\ty\n",
                        "--validation-split 0.1 of 2 rows leaves one side empty. Give more rows, another share"),
                bad("a\tx\n\nb y\nb\tz\n", "line 3 has no tab, but most lines have one. Put one between"),
                bad("hello world\n", "holds back 1, but a loss takes at least 2"),
                bad("one\ntwo\n", "--bidirectional is for --task classify", "--bidirectional"),
                bad("a\tx\nb\ty\n", "--window is for --task generate", "--window", "8"),
                bad("a\tx\nb\ty\n", "--shuffle-lines is for --task generate", "--shuffle-lines"),
                bad("one\ntwo\n", "--validation is for --task classify", "--validation", "README.md"),
                bad("a\tx\nb\ty\n", "--tied is for --task generate", "--tied"),
                bad("a\tx\nb\ty\n", "--back-steps is for --task generate", "--back-steps", "70"),
                bad("a\tx\nb\ty\n", "--layers must be at least 1, but is 0", "--layers", "0"),
                bad(
                        "a\tx\nb\ty\n",
                        "--dropout is a share: it must be at least 0 and below 1, but is 1.5",
                        "--dropout=1.5"),
                bad("a\tx\nb\ty\n", "--recurrent-dropout is a share", "--recurrent-dropout", "-0.1"),
                bad("a\tx\nb\ty\n", "--recurrent-dropout is a share", "--recurrent-dropout", "NaN"),
                bad(
                        "one\ntwo\n",
                        "--tied makes the embedding as large as --hidden, which is 8, but --embedding is 4; leave one",
                        "--tied"),
                bad(
                        "one\ntwo\n",
                        "--back-steps must be at least --window, which is 64, but is 63; give a --window of at most 63, too",
                        "--back-steps",
                        "63"),
                bad("one\ntwo\n", "--back-steps must be at least 1, but is 0", "--back-steps", "0"),
                Arguments.of(
                        "fine\nna\u00efve\n".getBytes(StandardCharsets.ISO_8859_1),
                        "line 2 is not UTF-8",
                        new String[] {}),
                bad("fine\nno\0ne\n", "line 2 holds a NUL character"),
                marked(StandardCharsets.UTF_16LE, "iconv -f UTF-16 -t"),
                marked(StandardCharsets.UTF_16BE, "iconv -f UTF-16 -t"),
                marked(Charset.forName("UTF-32LE"), "is UTF-32 text. Convert the file first"),
                marked(Charset.forName("UTF-32BE"), "iconv -f UTF-32 -t UTF-8"));
    }

    private static Arguments marked(Charset charset, String message) {
        return Arguments.of("\uFEFFone\ntwo\n".getBytes(charset), message, new String[] {});
    }

    private static Arguments bad(String text, String message, String... options) {
        return Arguments.of(text.getBytes(StandardCharsets.UTF_8), message, options);
    }

    @ParameterizedTest
    @MethodSource("badFiles")
    void aBadFileIsRefusedAndNothingWritten(byte[] bytes, String message, String[] options) throws IOException {
        Files.write(file, bytes);
        Files.writeString(model, "precious");
        Outcome outcome = train(options);
        assertEquals(2, outcome.code(), outcome.err());
        assertEquals(1, outcome.err().lines().count(), outcome.err());
        assertTrue(outcome.err().contains(message), outcome.err());
        assertEquals("precious", Files.readString(model));
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(2, left.count(), "nothing half-written");
        }
    }

    /** Half of the lines have a tab: as good a text as any. And with tabs in most of them for who says so. */
    @Test
    void textsWithTabsAreGeneratedToo() throws IOException {
        Files.writeString(file, "a\tx\nb y\n".repeat(10));
        Outcome trained = train("--epochs", "1", "--no-pictures");
        assertEquals(0, trained.code(), trained.err());
        assertTrue(trained.out().contains("generate, because line 2 has no tab"), trained.out());
        Files.writeString(file, "a\tx\nb\tz\nb y\n".repeat(10));
        assertEquals(
                0, train("--epochs", "1", "--no-pictures", "--task", "generate").code());
    }

    /** Labels that say nothing are learnt by heart, and the last epoch is not the best on what is held back. */
    @Test
    void weightsOfAnotherEpochAreTold() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 40; i++)
            lines.append(i * i / 7 % 2).append('\t').append(1000 + 37 * i).append('\n');
        Files.writeString(file, lines);
        Outcome trained =
                train("--learning-rate=0.1", "--batch-size=8", "--epochs", "9", "--patience=9", "--no-pictures");
        assertEquals(0, trained.code(), trained.err());
        assertTrue(trained.out().contains("Epoch 9/9"), trained.out());
        assertTrue(trained.out().matches("(?s).*\\RThe weights are those of epoch [1-8]\\..*"), trained.out());
    }

    @Test
    void figuresAreThoseOfTheEpochThatWasKept() {
        EpochResult kept = new EpochResult(1, .1, .2, .3, .4, .5, .6, .7);
        EpochResult last = new EpochResult(2, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7);
        History history = new History(List.of(kept, last), 1);
        assertEquals(
                new TrainResult("classify", "cpu", 9, 2, 2, 1, .1, .2, .3, .4, Double.NaN, 5, "file"),
                TrainResult.of(TextTask.Kind.classify, "cpu", 9, 2, history, 5, "file"));
        assertEquals(
                Math.exp(.3),
                TrainResult.of(TextTask.Kind.generate, "cpu", 1, null, history, 5, "file")
                        .perplexity());
    }

    @Test
    void textsAreNotOverwrittenByTheirModel() throws IOException {
        Files.writeString(file, digitsAndLetters());
        Outcome outcome = Outcome.of("train", file.toString(), "--out", file.toString());
        assertEquals(2, outcome.code());
        assertTrue(outcome.err().contains("is a file of texts; name another --out"), outcome.err());
        Path others = Files.copy(file, folder.resolve("others"));
        Outcome measured =
                Outcome.of("train", file.toString(), "--validation", others.toString(), "--out", others.toString());
        assertEquals(2, measured.code());
        assertTrue(measured.err().contains("is a file of texts; name another --out"), measured.err());
    }

    @Test
    void divergenceIsToldAndAnOldModelKept() throws IOException {
        Files.writeString(file, digitsAndLetters());
        Files.writeString(model, "precious");
        Outcome outcome = train("--learning-rate", "1e200", "--batch-size", "80", "--epochs", "50", "--patience", "0");
        assertEquals(1, outcome.code(), outcome.out());
        assertTrue(outcome.err().contains("Training diverged in epoch"), outcome.err());
        assertEquals("precious", Files.readString(model));
    }

    /** Of one batch each, the first epoch leaves weights of about 1e29, which give a loss yet, the second larger ones. */
    @Test
    void theLastGoodWeightsReplaceNoModelUnlessAsked() throws IOException {
        Files.writeString(file, digitsAndLetters());
        String[] options = {"--learning-rate=1e30", "--batch-size=80", "--patience=0", "--epochs", "50"};
        Outcome first = train(options);
        assertEquals(1, first.code(), first.out());
        assertTrue(first.err().contains("The last good weights are in " + model), first.err());
        assertFalse(first.err().contains("clipNorm"), "it clips to 1 already: " + first.err());
        assertEquals(0, Outcome.of("predict", model.toString(), "2024").code());

        Files.writeString(model, "precious");
        Outcome again = train(options);
        assertTrue(again.err().contains("--save-diverged would replace it"), again.err());
        assertEquals("precious", Files.readString(model));

        assertEquals(1, train(Outcome.line(List.of(options), "--save-diverged")).code());
        assertEquals(0, Outcome.of("predict", model.toString(), "2024").code());
    }

    @ParameterizedTest
    @ValueSource(strings = {"--hidden=1000000000", "--embedding=2147483647"})
    void sizesThatNoTensorHoldsAreRefused(String option) throws IOException {
        Files.writeString(file, digitsAndLetters());
        Outcome outcome = Outcome.of("train", file.toString(), "--out", model.toString(), option);
        assertEquals(2, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains("more than the 2147483647 numbers that one tensor holds"), outcome.err());
    }

    @Test
    void aLastStepThatRuinsTheWeightsIsADivergenceToo() throws IOException {
        Files.writeString(file, digitsAndLetters());
        Outcome outcome =
                train("--learning-rate", "1e39", "--batch-size", "1000", "--epochs", "1", "--validation-split", "0");
        assertEquals(1, outcome.code(), outcome.out());
        assertTrue(outcome.err().contains("Nothing was saved"), outcome.err());
        assertFalse(Files.exists(model));
    }

    @Test
    void aTrainingThatIsStoppedIsSaved() throws Exception {
        Required.that(
                ProcessHandle.current().supportsNormalTermination(),
                "signals",
                "a training that is stopped",
                "a process cannot be asked to end here");
        Files.writeString(file, digitsAndLetters());
        Path checkpoint = folder.resolve("checkpoint.safetensors");
        String output = stoppedInEpoch(3, "--checkpoint", checkpoint.toString());
        assertTrue(
                output.contains("The same command again goes on with the training, from " + checkpoint + "."), output);
        assertTrue(output.contains("Stopped; the weights are those of epoch "), output);
        assertTrue(output.contains("Wrote " + model), output);
        byte[] first = Files.readAllBytes(model);

        Path stopped = folder.resolve("model.stopped.safetensors");
        output = stoppedInEpoch(2);
        assertFalse(output.contains("The same command again"), output);
        assertTrue(output.contains("Wrote " + stopped), output);
        assertArrayEquals(first, Files.readAllBytes(model), "what was there stays");
        assertEquals(0, Outcome.of("predict", stopped.toString(), "123").code());
    }

    /** Not even a folder that takes files lets every file be replaced, one of another user's in /tmp for example. */
    @Test
    void aModelThatCannotReplaceAFileGoesBesideIt() throws IOException {
        Files.writeString(file, digitsAndLetters());
        Files.writeString(model, "precious");
        String[] args = {file.toString(), "--out", model.toString(), "--hidden=8", "--epochs=1", "--no-pictures"};
        Outcome outcome = Outcome.ofCommand(terminal -> new TrainCommand(withAFolderFor(model, terminal)), args);
        Path other = folder.resolve("model.stopped.safetensors");
        assertEquals(2, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains(model + ": writing: "), outcome.err());
        assertTrue(outcome.out().contains("Wrote " + other), outcome.out());
        assertTrue(Files.isDirectory(model));
        assertEquals(0, Outcome.of("predict", other.toString(), "123").code());
    }

    /** A terminal that makes a folder of a file as soon as an epoch is over. */
    private static Terminal withAFolderFor(Path file, Terminal terminal) {
        PrintWriter out = new PrintWriter(terminal.out(), true) {
            @Override
            public void println(String line) {
                super.println(line);
                if (!line.startsWith("Epoch ")) return;
                try {
                    Files.delete(file);
                    Files.createDirectory(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
        return new Terminal(terminal.in(), out, terminal.err(), false);
    }

    @Test
    void goesOnFromACheckpoint() throws IOException {
        Files.writeString(file, digitsAndLetters());
        Path checkpoint = folder.resolve("checkpoint.safetensors");
        Outcome whole = train("--no-pictures", "--epochs", "4");
        assertEquals(0, whole.code(), whole.err());
        byte[] expected = Files.readAllBytes(model);
        assertEquals(
                0,
                train("--no-pictures", "--epochs", "4", "--checkpoint", checkpoint.toString())
                        .code());
        assertArrayEquals(expected, Files.readAllBytes(model));
        Outcome again = train("--no-pictures", "--epochs", "4", "--checkpoint", checkpoint.toString());
        assertEquals(0, again.code(), again.err());
        assertFalse(again.out().contains("Epoch "), "nothing was left to do: " + again.out());
        assertTrue(again.out().contains("checkpoint.safetensors, of the end of epoch 4\n"), again.out());
        assertArrayEquals(expected, Files.readAllBytes(model));
        Outcome itself = train("--no-pictures", "--checkpoint", model.toString());
        assertTrue(itself.err().contains("is another file of this training; name another --checkpoint"), itself.err());
        Outcome asked = Outcome.of("predict", checkpoint.toString(), "12");
        assertTrue(asked.err().contains("is a checkpoint of a training; go on with"), asked.err());
        Outcome other = train("--no-pictures", "--seed", "5", "--checkpoint", checkpoint.toString());
        assertEquals(2, other.code());
        assertTrue(other.err().contains("is of another training: "), other.err());
        assertTrue(
                other.err().contains("give the FILE and the options that it was made with, or name another"),
                other.err());
        Outcome longer = train("--no-pictures", "--epochs", "5", "--checkpoint", checkpoint.toString());
        assertTrue(longer.err().contains("its learning rates are for 4 epochs in all, and not for 5"), longer.err());
        Files.writeString(file, digitsAndLetters().replace("1000", "1001"));
        Outcome edited = train("--no-pictures", "--epochs", "4", "--checkpoint", checkpoint.toString());
        assertTrue(edited.err().contains("the rows are not those of then"), edited.err());
        Outcome finished =
                train("--no-pictures", "--checkpoint", copyOfTheModel().toString());
        assertTrue(finished.err().contains("found text-classifier. Name another file"), finished.err());
    }

    private Path copyOfTheModel() throws IOException {
        return Files.copy(model, folder.resolve("copy.safetensors"));
    }

    /** Output of a training, in a JVM of its own, that is asked to end once it shows that epoch. */
    private String stoppedInEpoch(int epoch, String... options) throws Exception {
        String[] words = {"train", file.toString(), "--out", model.toString(), "--backend=reference", "--epochs=999999"
        };
        String[] arguments = Outcome.line(List.of(words), options);
        Process process = ChildJvm.with().command(Main.class, arguments).start();
        StringBuilder output = new StringBuilder();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                output.append(line).append('\n');
                if (line.matches("Epoch +" + epoch + "/.*"))
                    process.toHandle().destroy(); // Process.destroy closes what we read, too
            }
        } finally {
            process.destroyForcibly();
        }
        assertEquals(128 + 15, process.waitFor(), () -> "SIGTERM: " + output);
        return output.toString();
    }
}
