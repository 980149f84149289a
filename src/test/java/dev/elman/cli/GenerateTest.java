package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.elman.backend.Backend;
import dev.elman.reference.ReferenceBackend;
import dev.elman.train.EpochResult;
import dev.elman.train.History;
import dev.elman.train.LanguageModelConfig;
import dev.elman.train.Sampling;
import dev.elman.train.TextGenerator;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateTest {
    @TempDir
    private Path folder;

    private Path file;
    private Path model;

    @BeforeEach
    void paths() {
        file = folder.resolve("text.txt");
        model = folder.resolve("model.safetensors");
    }

    private Outcome train(String... options) {
        List<String> args = new ArrayList<>(List.of("train", file.toString()));
        args.addAll(List.of("--backend", "cpu"));
        args.addAll(List.of(options));
        if (args.stream().noneMatch(word -> word.startsWith("--out"))) args.addAll(List.of("--out", model.toString()));
        return Outcome.of(args);
    }

    private String generate(String... options) {
        Outcome outcome = Outcome.of(List.of("generate", model.toString(), "--backend", "cpu"), options);
        assertEquals(0, outcome.code(), outcome.err());
        return outcome.out();
    }

    @Test
    void aLanguageModelIsTrainedFurther() throws IOException {
        Files.writeString(file, "the sun rose over the hill.\n".repeat(60));
        assertEquals(0, train("--hidden=32", "--epochs=20", "--no-pictures").code());
        Path further = folder.resolve("further.safetensors");
        Files.writeString(file, "the sun \u4e00 set over the hill.\n".repeat(60));
        Outcome trained =
                train("--init=" + model, "--out=" + further, "--epochs=1", "--learning-rate=1e-9", "--no-pictures");
        assertEquals(0, trained.code(), trained.err());
        assertTrue(trained.out().contains("generate, going on with " + model), trained.out());
        assertTrue(trained.err().contains("has never read any of \"\u4e00\""), trained.err());
        String before = generate("--seed=3", "--temperature=0.1");
        Outcome after = Outcome.of("generate", further.toString(), "--backend", "cpu", "--seed=3", "--temperature=0.1");
        assertEquals(before, after.out());
        assertTrue(before.contains("the sun rose"), before);
    }

    /** The perplexity of who knows how frequent each character is, and nothing of the one before. */
    private static double unigramPerplexity(String text) {
        Map<Integer, Integer> counts = new TreeMap<>();
        text.codePoints().forEach(c -> counts.merge(c, 1, Integer::sum));
        double all = text.codePointCount(0, text.length());
        double entropy = counts.values().stream()
                .mapToDouble(count -> -count / all * Math.log(count / all))
                .sum();
        return Math.exp(entropy);
    }

    @Test
    void learnsARunningTextAndWritesMoreOfIt() throws IOException {
        String text = Files.readString(Path.of("LICENSE")).replaceAll(" +", " ");
        Files.writeString(file, text);
        Outcome trained = train("--epochs", "30", "--hidden", "64", "--batch-size", "8", "--json");
        assertEquals(0, trained.code(), trained.err());
        JsonObject result = trained.json();
        assertEquals("generate", result.get("task").getAsString());
        double unigram = unigramPerplexity(text);
        double perplexity = result.get("perplexity").getAsDouble();
        assertTrue(perplexity < 0.5 * unigram, perplexity + " is not clearly below the unigram's " + unigram);
        assertTrue(trained.err().contains("because line 2 has no tab"), trained.err());
        assertTrue(trained.err().matches("(?s).*Epoch +1/30  loss [0-9.]+ ppl [0-9.]+  val_loss [0-9.]+ val_ppl .*"));
        assertEquals(
                1400, ImageIO.read(folder.resolve("model.curve.png").toFile()).getWidth());

        Outcome measured = Outcome.of("evaluate", model.toString(), file.toString(), "--backend", "cpu");
        assertEquals(0, measured.code(), measured.err());
        // But for the first character, and those at the end that fill no stream.
        assertTrue(
                measured.out()
                        .matches(
                                "(?s)Perplexity on 1[01],\\d{3} characters: [1-9]\\.\\d\\d .*probable one: 0\\.\\d{3}\\s*"),
                measured.out());

        Files.writeString(folder.resolve("others"), text.replace("copyright", "c\u00f6pyright"));
        Outcome unknown = Outcome.of(
                "evaluate", model.toString(), folder.resolve("others").toString(), "--backend", "cpu");
        assertTrue(unknown.err().contains("never read any of \"\u00f6\"; it is measured all the same"), unknown.err());

        String first = generate("--prompt", "The Lic", "--length", "200", "--seed", "5");
        assertTrue(first.startsWith("The Lic"), first);
        assertEquals(207, first.stripTrailing().length(), 3, "all that was asked for, whatever blanks it ends with");
        assertEquals(first, generate("--prompt", "The Lic", "--length", "200", "--seed", "5"));
        assertNotEquals(first, generate("--prompt", "The Lic", "--length", "200", "--seed", "6"));
        String greedy = generate("--prompt", "The Lic", "--top-k", "1", "--seed", "5");
        assertEquals(
                greedy, generate("--prompt", "The Lic", "--top-k", "1", "--seed", "6"), "nothing is left to chance");
        String two = generate("--length", "60", "--count", "2", "--seed", "7");
        assertTrue(two.startsWith("--- seed 7 ---") && two.contains("--- seed 8 ---"), two);
        assertTrue(two.endsWith(generate("--length", "60", "--seed", "8")), "the second text is that of the next seed");
    }

    /** What the file says of the network that was asked for, and that it learns and writes. */
    @Test
    void theNetworkIsWhatWasAskedFor() throws IOException {
        Files.writeString(file, "abab\nababab\n".repeat(200));
        String[] shape = {
            "--layers=2", "--tied", "--hidden=24", "--recurrent-dropout=0.1", "--window=5", "--back-steps=9", "--seed=3"
        };
        String[] options = {"--epochs", "6", "--learning-rate", "0.01", "--json", "--no-pictures"};
        Outcome trained = train(Outcome.line(List.of(shape), options));
        assertEquals(0, trained.code(), trained.err());
        assertTrue(trained.json().get("perplexity").getAsDouble() < 1.7, trained.out());
        try (Backend backend = new ReferenceBackend();
                TextGenerator generator = TextGenerator.load(backend, model)) {
            LanguageModelConfig config = generator.model().config();
            LanguageModelConfig expected = LanguageModelConfig.of(config.vocabulary())
                    .withSizes(24, 24)
                    .withLayers(2)
                    .withTied(true)
                    .withRecurrentDropout(.1)
                    .withWindow(5, 9)
                    .withSeed(3);
            assertEquals(expected, config);
        }
        assertTrue(generate("--one-line", "--length", "12").strip().matches("[ab]{1,12}"));
    }

    @Test
    void lineEndsOfAllSystemsAreOne() throws IOException {
        String[] ends = {"\n", "\r\n", "\r"};
        byte[][] models = new byte[3][];
        for (int i = 0; i < 3; i++) {
            Files.writeString(file, ("one line" + ends[i] + ends[i] + "and another" + ends[i]).repeat(20));
            Outcome trained = train("--epochs", "1", "--hidden", "4", "--no-pictures");
            assertEquals(0, trained.code(), trained.err());
            models[i] = Files.readAllBytes(model);
        }
        assertArrayEquals(models[0], models[1]);
        assertArrayEquals(models[0], models[2]);
        assertTrue(Files.notExists(folder.resolve("model.curve.png")), "--no-pictures");
    }

    /** As the network does, which reads an accent and its letter as one. */
    @Test
    void charactersAreCountedComposed() throws IOException {
        for (boolean shuffled : new boolean[] {false, true}) {
            TrainOptions options = new TrainOptions();
            options.shuffleLines = shuffled;
            options.hidden = 2;
            try (Backend backend = new ReferenceBackend();
                    GenerateTask task =
                            GenerateTask.of(backend, new TextFile(file, List.of("he\u0301", "ho\u0302te")), options)) {
                assertEquals("h\u00e9\nh\u00f4te\n".length(), task.characters());
            }
        }
    }

    @Test
    void aLineMayBeAsLongAsTheFile() throws IOException {
        Files.writeString(file, "round and ".repeat(10_000));
        Outcome trained = train("--epochs", "1", "--hidden", "8");
        assertEquals(0, trained.code(), trained.err());
        assertTrue(
                trained.out().contains("a language model of 100,001 characters, from an alphabet of 8:"),
                trained.out());
    }

    @Test
    void smallTextsAreReadMoreOften() throws IOException {
        Files.writeString(file, "abcdefgh".repeat(25_000));
        assertTrue(train("--hidden", "1", "--embedding", "1", "--patience", "1", "--learning-rate", "1e-30")
                .out()
                .contains("Epoch  1/49 "));
    }

    @Test
    void linesOfAList() throws IOException {
        Files.writeString(file, "abab\nababab\n\n".repeat(30));
        Outcome trained = train(
                "--shuffle-lines", "--epochs", "8", "--learning-rate", "0.02", "--batch-size", "2", "--hidden", "8");
        assertEquals(0, trained.code(), trained.err());
        assertTrue(trained.out().contains("in 60 lines, shuffled"), trained.out());
        assertTrue(trained.out().contains("Lines it writes:"), trained.out());
        assertTrue(trained.out().contains("--one-line"), trained.out());
        List<String> lines =
                generate("--one-line", "--count", "20", "--length", "9").lines().toList();
        assertEquals(20, lines.size());
        lines.forEach(line -> assertTrue(line.matches("[ab]{0,9}"), line));
    }

    @Test
    void linesAreShuffledAndEachSampleIsOfAnotherSeed() throws IOException {
        List<String> lines = IntStream.range(100, 200).mapToObj(String::valueOf).toList();
        TrainOptions options = new TrainOptions();
        options.shuffleLines = true;
        options.hidden = 2;
        options.seed = 7;
        try (Backend backend = new ReferenceBackend();
                GenerateTask task = GenerateTask.of(backend, new TextFile(file, lines), options)) {
            assertNotEquals(lines, task.data());
            assertEquals(lines, task.data().stream().sorted().toList());
            EpochResult epoch = new EpochResult(1, 1, 1, Double.NaN, Double.NaN, 1, 1, 1);
            List<String> shown = task.show(TrainResult.of(
                    TextTask.Kind.generate, "reference", 100, null, new History(List.of(epoch), 1), 1, ""));
            List<String> expected = new ArrayList<>(List.of("Lines it writes:"));
            for (int seed = 7; seed < 10; seed++) {
                expected.add("  " + task.model().generateLine("", 300, new Sampling(.7, 0, seed)));
            }
            assertEquals(expected, shown);
        }
    }

    @Test
    void anEmptyLineIsALineToo() throws IOException {
        try (Backend backend = new ReferenceBackend();
                TextGenerator generator =
                        TextGenerator.create(backend, List.of("ab"), shape -> shape.withSizes(2, 2))) {
            float[] bias = new float[generator.model().config().vocabulary()];
            bias[generator.tokenizer().wordIndex().get("\n")] = 1000;
            generator.model().weights().get("dense.b").set(bias);
            generator.save(model);
        }
        assertEquals(3, generate("--one-line", "--count", "3").lines().count());
    }

    /** Whoever waits for a long text sees it grow. */
    @Test
    void aTextIsPrintedAsItIsDrawn() throws IOException {
        Files.writeString(file, "abab\nababab\n".repeat(30));
        assertEquals(0, train("--epochs", "1", "--hidden", "4").code());
        List<String> seen = new ArrayList<>();
        StringWriter out = new StringWriter() {
            @Override
            public void flush() {
                seen.add(toString());
            }
        };
        Terminal terminal = new Terminal(
                InputStream.nullInputStream(), new PrintWriter(out), new PrintWriter(new StringWriter()), false);
        String[] args = {"generate", model.toString(), "--backend", "cpu", "--prompt", "ab", "--length", "9"};
        assertEquals(0, Main.commandLine(terminal).execute(args));
        String whole = generate("--prompt", "ab", "--length", "9").stripTrailing();
        for (int drawn = 0; drawn <= 9; drawn++) {
            assertTrue(seen.contains(whole.substring(0, Math.min(2 + drawn, whole.length()))), seen + " of " + whole);
        }
    }

    /** As in {@code elman generate ... | head -1}. */
    @Test
    void nothingIsDrawnForAReaderThatHasGone() throws IOException {
        Files.writeString(file, "abab\nababab\n".repeat(30));
        assertEquals(0, train("--epochs", "1", "--hidden", "4").code());
        for (String[] many : new String[][] {{"--length=5000"}, {"--one-line", "--count=500"}}) {
            List<String> printed = new ArrayList<>();
            Writer pipe = new Writer() {
                @Override
                public void write(char[] characters, int from, int count) throws IOException {
                    printed.add(new String(characters, from, count));
                    if (printed.size() == 3) throw new IOException("Broken pipe");
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            };
            StringWriter err = new StringWriter();
            Terminal terminal = new Terminal(
                    InputStream.nullInputStream(), new PrintWriter(pipe), new PrintWriter(err, true), false);
            String[] args = Outcome.line(List.of("generate", model.toString(), "--backend=cpu"), many);
            assertEquals(2, Main.run(terminal, args));
            assertEquals(3, printed.size(), "none after the one that failed");
            assertEquals(
                    "elman: the output is not complete: its disk is full, or nobody reads it any more.",
                    err.toString().strip());
        }
    }

    @Test
    void aPromptThatWasNeverReadIsTold() throws IOException {
        Files.writeString(file, "abab\nababab\n".repeat(30));
        assertEquals(0, train("--epochs", "1", "--hidden", "4").code());
        Outcome asked = Outcome.of("generate", model.toString(), "--prompt", "aXbX", "--length", "3", "--json");
        assertEquals(0, asked.code(), asked.err());
        assertTrue(asked.err().contains("has never read any of \"X\""), asked.err());
        assertTrue(asked.json().getAsJsonArray("samples").get(0).getAsString().startsWith("aXbX"));
    }

    @Test
    void wrongUseIsNamed() throws IOException {
        Files.writeString(file, "abab\nababab\n".repeat(30));
        assertEquals(0, train("--epochs", "1", "--hidden", "4").code());
        Outcome labels = Outcome.of("predict", model.toString(), "ab");
        assertEquals(2, labels.code());
        assertTrue(labels.err().contains("ask it with elman generate"), labels.err());
        for (String[] wrong : new String[][] {
            {
                "--temperature",
                "0",
                "generate: --temperature must be positive and finite, but is 0.0. For the most probable token each time, use --top-k 1."
            },
            {"--top-k", "-1", "generate: --top-k must be at least 0"},
            {"--length", "0", "--length must be at least 1, but is 0"},
            {"--count", "-2", "--count must be at least 1, but is -2"},
        }) {
            Outcome outcome = Outcome.of("generate", model.toString(), wrong[0], wrong[1]);
            assertEquals(2, outcome.code(), wrong[0]);
            assertTrue(outcome.err().contains(wrong[2]), outcome.err());
        }
    }
}
