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
import dev.elman.train.TextClassifier;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How texts come to a classifier, and its answers back. */
class PredictTest {
    @TempDir
    private static Path folder;

    private static Path model;

    @BeforeAll
    static void train() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            lines.append("digits\t").append(1000 + 37 * i).append('\n');
            lines.append("letters\t").append("abcdefgh", i % 4, 4 + i % 4).append('\n');
        }
        Path file = Files.writeString(folder.resolve("texts.tsv"), lines);
        model = folder.resolve("model.safetensors");
        String[] options = {"--hidden=64", "--embedding=4", "--batch-size=8", "--learning-rate=0.02", "--no-pictures"};
        List<String> args = new ArrayList<>(List.of("train", file.toString(), "--out", model.toString()));
        args.addAll(List.of(options));
        args.addAll(List.of("--epochs=8", "--backend=cpu"));
        Outcome trained = Outcome.of(args.toArray(new String[0]));
        assertEquals(0, trained.code(), trained.err());
    }

    private static Outcome predict(String input, String... words) {
        List<String> args = new ArrayList<>(List.of("predict", model.toString(), "--backend=cpu"));
        args.addAll(List.of(words));
        return Outcome.withInput(input, args.toArray(new String[0]));
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
}
