package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.OutOfDeviceMemoryException;
import dev.elman.backend.Shape;
import dev.elman.contract.Intercepted;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import dev.elman.reference.ReferenceBackend;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.TextClassifier;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How texts come to a classifier that is trained, and its answers back. */
class PredictTest {
    @TempDir
    private static Path folder;

    private static Path model;

    @BeforeAll
    static void train() throws IOException {
        Path file = Files.writeString(folder.resolve("texts.tsv"), TrainTest.digitsAndLetters());
        model = folder.resolve("model.safetensors");
        List<String> words =
                List.of("train", file.toString(), "--out", model.toString(), "--backend=cpu", "--epochs=8");
        String[] options = {"--hidden=64", "--embedding=4", "--batch-size=8", "--learning-rate=0.02", "--no-pictures"};
        Outcome trained = Outcome.of(words, options);
        assertEquals(0, trained.code(), trained.err());
    }

    private static Outcome predict(String input, String... words) {
        return Outcome.withInput(input, Outcome.line(List.of("predict", model.toString(), "--backend=cpu"), words));
    }

    @Test
    void linesForProgramsBeginWithTheLabelAndEndWithTheText() {
        Outcome asked = predict("", "--tsv", "2024", "ef\tgh", "77\n88");
        assertEquals(0, asked.code(), asked.err());
        List<String> lines = asked.out().lines().toList();
        assertEquals(3, lines.size(), asked.out());
        assertTrue(lines.get(0).matches("digits\t0\\.\\d{6}\tletters\t0\\.\\d{6}\t2024"), lines.get(0));
        assertTrue(lines.get(1).matches("letters\t0\\.\\d{6}\tdigits\t0\\.\\d{6}\tef\tgh"), lines.get(1));
        assertTrue(lines.get(2).endsWith("\t77 88"), lines.get(2));
        assertTrue(predict("", "--tsv", "--top-k", "1", "2024").out().matches("digits\t0\\.\\d{6}\t2024\\R"));
        assertTrue(predict("", "--tsv", "--json", "2024").err().contains("mutually exclusive"));
    }

    /** Of weights so large that their sums are infinite. */
    @Test
    void aProbabilityThatIsNoNumberIsNull() throws IOException {
        SafeTensors good = SafeTensors.read(model);
        Map<String, NdArray> tensors = new LinkedHashMap<>(good.tensors());
        float[] large = tensors.get("dense.w").toFloats();
        Arrays.fill(large, Float.MAX_VALUE);
        tensors.put("dense.w", NdArray.ofFloats(large, tensors.get("dense.w").shape()));
        Path overflowing = folder.resolve("overflowing.safetensors");
        new SafeTensors(tensors, good.metadata()).write(overflowing);
        Outcome asked = Outcome.of("predict", overflowing.toString(), "2024", "--json", "--backend=cpu");
        assertEquals(0, asked.code(), asked.err());
        JsonObject answer = asked.json().getAsJsonArray("predictions").get(0).getAsJsonObject();
        for (JsonElement label : answer.getAsJsonArray("labels")) {
            assertTrue(label.getAsJsonObject().get("probability").isJsonNull(), asked.out());
        }
        Outcome lines = Outcome.of("predict", overflowing.toString(), "2024", "--tsv", "--backend=cpu");
        assertEquals("digits\tNaN\tletters\tNaN\t2024", lines.out().strip());
    }

    /** Lines that come one by one are answered one by one, before there is a next one. */
    @ParameterizedTest
    @ValueSource(strings = {"--k=1", "--tsv", "--json"})
    void eachLineIsAnsweredAsItComes(String option) {
        StringWriter out = new StringWriter();
        List<Integer> answered = new ArrayList<>();
        InputStream slow = new InputStream() {
            private final byte[][] lines = {
                "2024\n".getBytes(StandardCharsets.UTF_8), "ef\n".getBytes(StandardCharsets.UTF_8)
            };

            @Override
            public int read() {
                throw new UnsupportedOperationException();
            }

            @Override
            public int read(byte[] into, int from, int most) {
                answered.add((int)
                        Stream.of("2024", "ef").filter(out.toString()::contains).count());
                int next = answered.size() - 1;
                if (next == lines.length) return -1;
                System.arraycopy(lines[next], 0, into, from, lines[next].length);
                return lines[next].length;
            }
        };
        Terminal terminal = new Terminal(slow, new PrintWriter(out), new PrintWriter(new StringWriter(), true), false);
        assertEquals(0, Main.run(terminal, "predict", model.toString(), "--backend=cpu", option));
        assertEquals(List.of(0, 1, 2), answered);
    }

    @Test
    void manyLinesAreAnsweredInOrder() {
        StringBuilder input = new StringBuilder();
        for (int i = 0; i < 2500; i++) input.append(i).append('\n');
        List<String> lines = predict(input.toString(), "--tsv").out().lines().toList();
        assertEquals(2500, lines.size());
        for (int i = 0; i < 2500; i++) assertTrue(lines.get(i).endsWith("\t" + i), lines.get(i));
    }

    @Test
    void whatWasAnsweredBeforeABadLineIsPrinted() {
        Outcome nul = predict("2024\nef\n\0\n77\n");
        assertEquals(2, nul.code());
        assertEquals(2, nul.out().lines().count(), nul.out());
        assertTrue(nul.err().contains("standard input: line 3 holds a NUL character"), nul.err());
        Outcome json = predict("2024\nef\n\0\n", "--json");
        assertEquals(2, json.code());
        assertEquals(2, json.json().getAsJsonArray("predictions").size());

        // More than one tensor of this backend holds.
        Outcome tooLong = predict("2024\nef\n" + "7".repeat(9_000_000) + "\n\0\n");
        assertEquals(2, tooLong.code());
        assertEquals(2, tooLong.out().lines().count(), "as many answers");
        assertTrue(tooLong.err().contains("standard input: line 3, of 9000000 characters: "), tooLong.err());
    }

    /** A line that does not fit a device's memory, with a device for this test that has little. */
    @Test
    void aLineTooLongForTheDeviceIsNamedAfterThoseBeforeIt() throws IOException {
        Terminal terminal = new Terminal(
                InputStream.nullInputStream(),
                new PrintWriter(new StringWriter()),
                new PrintWriter(new StringWriter()),
                false);
        byte[] input = ("2024\nef\n" + "7".repeat(300) + "\n77\n").getBytes(StandardCharsets.UTF_8);
        List<String> answered = new ArrayList<>();
        try (Backend cpu = Backends.openCpu(1)) {
            Backend small = Intercepted.of(cpu, call -> {
                boolean large = call.operation().equals("allocate")
                        && call.argument(0, Shape.class).size() > 10_000;
                if (large) throw new OutOfDeviceMemoryException("planted", null);
                return call.proceed();
            });
            try (TextClassifier classifier = TextClassifier.load(small, model)) {
                Labeller labeller = new Labeller(terminal, model, classifier, 1);
                TextLines lines = new TextLines(new ByteArrayInputStream(input), "standard input");
                UserException refused = assertThrows(
                        UserException.class,
                        () -> labeller.labelLines(lines, some -> some.forEach(each -> answered.add(each.text()))));
                assertEquals("standard input: line 3, of 300 characters: planted", refused.getMessage());
            }
        }
        assertEquals(List.of("2024", "ef"), answered);
    }

    @Test
    void theNameOfAFileIsNotItsLines() throws IOException {
        Path file = Files.writeString(folder.resolve("to ask.txt"), "2024\n");
        Outcome asked = predict("", file.toString());
        assertEquals(0, asked.code());
        assertTrue(
                asked.err()
                        .contains("is a file, but its name is what is labelled. To label its lines: elman predict "
                                + model + " < '" + file + "'"),
                asked.err());
        assertEquals(1, asked.out().lines().count());
        assertEquals("", predict("", "2024").err());
    }

    @Test
    void linesThatHaveLabelsAreRemarkedOnOnce() {
        StringBuilder input = new StringBuilder();
        for (int i = 0; i < 1500; i++) input.append("digits\t").append(i).append('\n');
        Outcome asked = predict(input.toString());
        assertEquals(0, asked.code());
        assertEquals(1500, asked.out().lines().count());
        assertEquals(
                1,
                asked.err()
                        .lines()
                        .filter(line -> line.contains("the lines have labels"))
                        .count());
        assertTrue(asked.err().contains("elman evaluate " + model + " FILE measures"), asked.err());
        assertEquals(
                1,
                asked.err().lines().filter(line -> line.contains("never read")).count(),
                asked.err());
        assertTrue(asked.err().contains("has never read any of \"i"), asked.err());
        assertTrue(asked.err().contains("\", a tab; it answers"), asked.err());
        assertTrue(!predict("digits\t12\n13\n").err().contains("have labels"), "one has none");
        assertTrue(!predict("signs\t12\n").err().contains("have labels"), "it is no label of the model's");
    }

    @Test
    void textsComeFromTheStandardInputToo() {
        Outcome asked = predict("2024\r\nefgh\n", "-k", "1", "--json");
        assertEquals(0, asked.code(), asked.err());
        JsonObject second = asked.json().getAsJsonArray("predictions").get(1).getAsJsonObject();
        assertEquals("efgh", second.get("text").getAsString());
        assertEquals(1, second.getAsJsonArray("labels").size());
        assertEquals("letters", first(second).get("label").getAsString());
        assertEquals(2, predict("").code(), "no texts at all");
    }

    @Test
    void aTextThatTheLocaleLostIsNotGuessedAt() {
        String[] args = {"predict", model.toString(), "\uFFFDesk\uFFFD"};
        Outcome lost = Outcome.inEncoding("ANSI_X3.4-1968", args);
        assertEquals(2, lost.code());
        assertTrue(lost.err().contains("standard input"), lost.err());
        assertEquals(0, Outcome.inEncoding("UTF-8", args).code());
    }

    /** Else one of them would blow up thousands. */
    @Test
    void aLongTextMakesNoOtherLineLonger() {
        Outcome asked = predict("", "12", "345", "6".repeat(1000));
        List<String> lines = asked.out().lines().toList();
        assertTrue(lines.get(0).startsWith("12   "), lines.get(0));
        assertTrue(lines.get(1).startsWith("345  ") && lines.get(1).length() < 80, lines.get(1));
        assertTrue(lines.get(2).startsWith("6666"), lines.get(2));
    }

    @Test
    void anAnswerIsExplainedStepByStep() throws IOException {
        Path picture = folder.resolve("why.png");
        String[] ask = {"20 ef", "-k", "1", "--explain", picture.toString()};
        Outcome asked = predict("", ask);
        assertEquals(0, asked.code(), asked.err());
        List<String> lines = asked.out().lines().toList();
        assertTrue(lines.get(0).matches("2 +digits +0\\.\\d{3}"), asked.out());
        assertTrue(lines.get(2).matches("20\u2423 +[a-z]+ +0\\.\\d{3}"), asked.out());
        assertEquals("Picture: " + picture, lines.get(5), "the answer first, whatever becomes of the picture");
        assertEquals(6, lines.size());
        BufferedImage image = ImageIO.read(picture.toFile());
        assertTrue(image.getWidth() > 1000 && image.getHeight() > 500, image.toString());
        assertTrue(hasColor(image, 0x1F5FBF) && hasColor(image, 0xF0A81E), "both labels have their colours");

        JsonObject report = predict("", Outcome.line(List.of(ask), "--json")).json();
        assertEquals(5, report.getAsJsonArray("steps").size());
        JsonObject whole = report.getAsJsonArray("predictions").get(0).getAsJsonObject();
        JsonObject last = report.getAsJsonArray("steps").get(4).getAsJsonObject();
        assertEquals(whole.get("text"), last.get("text"));
        assertEquals(first(whole).get("label"), first(last).get("label"));
        // One was read alone, one among the shorter ones.
        double probability = first(whole).get("probability").getAsDouble();
        assertEquals(probability, first(last).get("probability").getAsDouble(), 1e-6);
    }

    /** The most probable label. */
    static JsonObject first(JsonObject answer) {
        return answer.getAsJsonArray("labels").get(0).getAsJsonObject();
    }

    private static boolean hasColor(BufferedImage image, int rgb) {
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) if ((image.getRGB(x, y) & 0xFFFFFF) == rgb) return true;
        }
        return false;
    }

    @Test
    void onlyOneTextIsExplained() {
        String picture = folder.resolve("why.png").toString();
        for (String[] wrong : new String[][] {
            {"--explain is for one text, but there are 2", "a", "b", picture},
            {"--explain is for a text of 1 to 400 characters, but this one has 401", "x".repeat(401), picture},
            {"--explain is for a text of 1 to 400 characters, but this one has 0", "", picture},
            {"does not end in .png", "a", folder.resolve("why.jpg").toString()},
            {"there is no folder", "a", folder.resolve("no/why.png").toString()},
        }) {
            List<String> texts = List.of(wrong).subList(1, wrong.length - 1);
            Outcome outcome = predict("", Outcome.line(texts, "--explain", wrong[wrong.length - 1]));
            assertEquals(2, outcome.code(), wrong[0]);
            assertTrue(outcome.err().contains(wrong[0]), outcome.err());
        }
    }

    @Test
    void aModelIsMeasuredOnOtherTexts() throws IOException {
        Path others = folder.resolve("others");
        Files.writeString(others, "digits\t2024\n\ndigits\t1812\nletters\tefgh\nletters\t1750\n");
        Outcome measured = Outcome.of("evaluate", model.toString(), others.toString());
        assertEquals(0, measured.code(), measured.err());
        List<String> lines = measured.out().lines().toList();
        assertTrue(
                lines.get(0)
                        .startsWith(
                                "Accuracy on 4 texts: 0.750 (the most frequent label alone: 0.500), macro F1 0.733, loss "),
                measured.out());
        assertEquals("  label    texts  right  precision  taken for", lines.get(1));
        assertEquals("  digits       2  1.000      0.667", lines.get(2));
        assertEquals("  letters      2  0.500      1.000  digits 1", lines.get(3));
        JsonObject result = Outcome.of("evaluate", model.toString(), others.toString(), "--json")
                .json();
        assertEquals(0.75, result.get("accuracy").getAsDouble());
        assertEquals("[[2,0],[1,1]]", result.get("confusion").toString());
        assertEquals("[1.0,0.5]", result.get("recall").toString());
        assertEquals("[0.6666666666666666,1.0]", result.get("precision").toString());
        assertEquals(0.5, result.get("baseline").getAsDouble());
        assertEquals(0.7333, result.get("macroF1").getAsDouble(), 1e-4);
        Files.writeString(others, "digits\t2024\n\nsigns\t+-\n");
        Outcome unknown = Outcome.of("evaluate", model.toString(), others.toString());
        assertEquals(2, unknown.code());
        assertTrue(
                unknown.err().contains("line 3 has the label \"signs\", which the model does not know"), unknown.err());
    }

    @Test
    void aClassifierWritesNothing() {
        Outcome asked = Outcome.of("generate", model.toString(), "--prompt", "a");
        assertEquals(2, asked.code());
        assertTrue(asked.err().contains("ask it with elman predict"), asked.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "garbage", "\2\0\0\0\0\0\0\0{}"})
    void whatIsNoModelIsRefused(String contents) throws IOException {
        Path none = Files.writeString(folder.resolve("none.safetensors"), contents);
        Outcome outcome = Outcome.of("predict", none.toString(), "text");
        assertEquals(2, outcome.code());
        assertEquals(1, outcome.err().lines().count(), outcome.err());
        assertTrue(outcome.err().contains("none.safetensors"), outcome.err());
    }

    /** Each of them is a file that somebody may take for a model of texts. */
    @Test
    void aModelOfSomethingElseIsToldWhatItIs() throws IOException {
        Path others = folder.resolve("ids.safetensors");
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier ids = new SimpleRnnClassifier(
                        backend, ClassifierConfig.tokens(9, 2).build())) {
            ids.save(others);
        }
        String said = Outcome.of("predict", others.toString(), "text").err();
        assertTrue(said.contains("reads token ids or features, not texts: use SimpleRnnClassifier.load in Java"), said);
        Path pickled = folder.resolve("torch.safetensors");
        new SafeTensors(Map.of("weight", NdArray.ofFloats(new float[2], 2)), Map.of()).write(pickled);
        String foreign = Outcome.of("generate", pickled.toString()).err();
        assertEquals(
                "elman generate: " + pickled + ": is no model of elman's; elman convert may read it", foreign.strip());
    }
}
