package dev.elman.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every case of keras_text.json: what Keras's own code answered, made by ci/keras_text.py. Where it raised, we throw.
 */
class KerasTextTest {
    private static final Gson GSON = new Gson();

    static JsonObject fixture() throws IOException {
        try (InputStream file = KerasTextTest.class.getResourceAsStream("/text/keras_text.json")) {
            return JsonParser.parseReader(new InputStreamReader(file, StandardCharsets.UTF_8))
                    .getAsJsonObject();
        }
    }

    static Stream<Named<JsonObject>> cases() throws IOException {
        return StreamSupport.stream(fixture().getAsJsonArray("cases").spliterator(), false)
                .map(JsonElement::getAsJsonObject)
                .map(c -> Named.of(c.get("name").getAsString(), c));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void answersAsKerasDoes(JsonObject c) {
        if (c.has("raises")) {
            RuntimeException e = assertThrows(RuntimeException.class, () -> check(c));
            assertTrue(
                    Set.of(IllegalArgumentException.class, IllegalStateException.class, TokenizerJsonException.class)
                            .contains(e.getClass()),
                    e::toString);
            assertTrue(e.getMessage().contains("expected") && e.getMessage().contains("given"), e::getMessage);
        } else {
            check(c);
        }
    }

    private static void check(JsonObject c) {
        JsonElement input = c.get("input");
        JsonObject more = c.getAsJsonObject("more");
        JsonElement expected = c.get("expected");
        switch (c.get("op").getAsString()) {
            case "text_to_word_sequence" ->
                assertEquals(
                        strings(expected),
                        TextPreprocessing.textToWordSequence(
                                input.getAsString(),
                                string(more, "filters", TextPreprocessing.DEFAULT_FILTERS),
                                !more.has("lower") || more.get("lower").getAsBoolean(),
                                string(more, "split", " ")));
            case "hashing_trick" ->
                assertArrayEquals(
                        GSON.fromJson(expected, int[].class),
                        TextPreprocessing.hashingTrick(
                                input.getAsString(),
                                more.get("n").getAsInt(),
                                string(more, "filters", TextPreprocessing.DEFAULT_FILTERS),
                                !more.has("lower") || more.get("lower").getAsBoolean(),
                                string(more, "split", " ")));
            case "pad_sequences" -> checkPadding(more, input, expected);
            default -> checkTokenizer(c, fitted(c), input, expected);
        }
    }

    private static void checkTokenizer(JsonObject c, Tokenizer tokenizer, JsonElement input, JsonElement expected) {
        boolean tokens = holdsLists(input);
        switch (c.get("op").getAsString()) {
            case "texts_to_sequences" ->
                assertArrayEquals(
                        GSON.fromJson(expected, int[][].class),
                        tokens
                                ? tokenizer.tokensToSequences(tokenLists(input))
                                : tokenizer.textsToSequences(strings(input)));
            case "sequences_to_texts" ->
                assertEquals(strings(expected), tokenizer.sequencesToTexts(GSON.fromJson(input, int[][].class)));
            case "texts_to_matrix" ->
                checkMatrix(
                        expected,
                        tokens
                                ? tokenizer.tokensToMatrix(tokenLists(input), mode(c))
                                : tokenizer.textsToMatrix(strings(input), mode(c)));
            case "sequences_to_matrix" ->
                checkMatrix(expected, tokenizer.sequencesToMatrix(GSON.fromJson(input, int[][].class), mode(c)));
            case "state" -> checkState(expected.getAsJsonObject(), tokenizer);
            case "to_json" -> checkJson(expected.getAsString(), tokenizer);
            default -> fail("no such operation: " + c.get("op"));
        }
    }

    private static Tokenizer fitted(JsonObject c) {
        if (c.has("json")) {
            return Tokenizer.fromJson(c.get("json").getAsString());
        }
        Tokenizer.Builder builder = Tokenizer.builder();
        for (Map.Entry<String, JsonElement> argument : c.getAsJsonObject("args").entrySet()) {
            JsonElement value = argument.getValue();
            switch (argument.getKey()) {
                case "num_words" -> builder.numWords(value.getAsInt());
                case "filters" -> builder.filters(value.getAsString());
                case "lower" -> builder.lower(value.getAsBoolean());
                case "split" -> builder.split(value.getAsString());
                case "char_level" -> builder.charLevel(value.getAsBoolean());
                case "oov_token" -> builder.oovToken(value.getAsString());
                default -> fail("no such argument: " + argument.getKey());
            }
        }
        Tokenizer tokenizer = builder.build();
        for (JsonElement fit : c.getAsJsonArray("fit")) {
            JsonElement texts = fit.getAsJsonObject().get("texts");
            if (texts == null) {
                tokenizer.fitOnSequences(GSON.fromJson(fit.getAsJsonObject().get("sequences"), int[][].class));
            } else if (holdsLists(texts)) {
                tokenizer.fitOnTokens(tokenLists(texts));
            } else {
                tokenizer.fitOnTexts(strings(texts));
            }
        }
        return tokenizer;
    }

    private static void checkMatrix(JsonElement expected, double[][] matrix) {
        double[][] rows = GSON.fromJson(expected, double[][].class);
        assertEquals(rows.length, matrix.length);
        for (int i = 0; i < rows.length; i++) {
            // NumPy's logarithm and Java's may differ in the last bit, and two are multiplied: 4 ulp of values below 8.
            assertArrayEquals(rows[i], matrix[i], 4 * Math.ulp(8.0), "row " + i);
        }
    }

    /** Orders are compared where they mean something: counts decide later ties, Keras shows the word index by rank. */
    private static void checkState(JsonObject expected, Tokenizer tokenizer) {
        assertOrdered(expected, "word_counts", tokenizer.wordCounts());
        assertOrdered(expected, "word_index", tokenizer.wordIndex());
        assertEquals(pairs(expected, "word_docs"), texts(tokenizer.wordDocs()));
        assertEquals(pairs(expected, "index_docs"), texts(tokenizer.indexDocs()));
        assertEquals(pairs(expected, "index_word"), texts(tokenizer.indexWord()));
        assertEquals(expected.get("document_count").getAsLong(), tokenizer.documentCount());
    }

    private static void assertOrdered(JsonObject expected, String name, Map<String, ?> table) {
        assertEquals(
                List.copyOf(pairs(expected, name).entrySet()),
                List.copyOf(texts(table).entrySet()),
                name);
    }

    private static Map<String, String> pairs(JsonObject expected, String name) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (JsonElement pair : expected.getAsJsonArray(name)) {
            pairs.put(
                    pair.getAsJsonArray().get(0).getAsString(),
                    pair.getAsJsonArray().get(1).getAsString());
        }
        return pairs;
    }

    private static Map<String, String> texts(Map<?, ?> table) {
        Map<String, String> texts = new LinkedHashMap<>();
        table.forEach((key, value) -> texts.put(key.toString(), value.toString()));
        return texts;
    }

    /**
     * Keras's string read and written again is the same string; ours differs from it in the order of a Python set only.
     */
    private static void checkJson(String keras, Tokenizer tokenizer) {
        assertEquals(keras, Tokenizer.fromJson(keras).toJson());
        assertEquals(meaning(keras), meaning(tokenizer.toJson()));
        assertTrue(tokenizer.toJson().chars().allMatch(ch -> ch >= ' ' && ch <= '~'));
    }

    /** The configuration with its inner JSON strings parsed, save the two whose order decides something. */
    private static JsonObject meaning(String json) {
        JsonObject tokenizer = JsonParser.parseString(json).getAsJsonObject();
        JsonObject config = tokenizer.getAsJsonObject("config");
        for (String table : List.of("word_docs", "index_docs", "index_word")) {
            config.add(table, JsonParser.parseString(config.get(table).getAsString()));
        }
        return tokenizer;
    }

    private static void checkPadding(JsonObject more, JsonElement input, JsonElement expected) {
        PadSequences options = PadSequences.options();
        for (Map.Entry<String, JsonElement> option : more.entrySet()) {
            JsonElement value = option.getValue();
            options = switch (option.getKey()) {
                case "maxlen" -> value.isJsonNull() ? options : options.maxlen(value.getAsInt());
                case "padding" -> options.padding(side(value));
                case "truncating" -> options.truncating(side(value));
                case "value" -> options.value(value.getAsDouble());
                case "dtype" -> options;
                default -> fail("no such argument: " + option.getKey());
            };
        }
        if (more.has("dtype")) {
            float[][][] padded = options.apply(GSON.fromJson(input, float[][][].class));
            assertArrayEquals(GSON.fromJson(expected, float[][][].class), padded);
        } else {
            assertArrayEquals(
                    GSON.fromJson(expected, int[][].class), options.apply(GSON.fromJson(input, int[][].class)));
        }
    }

    private static PadSequences.Side side(JsonElement name) {
        return PadSequences.Side.valueOf(name.getAsString().toUpperCase(Locale.ROOT));
    }

    private static Tokenizer.Mode mode(JsonObject c) {
        return Tokenizer.Mode.valueOf(
                c.getAsJsonObject("more").get("mode").getAsString().toUpperCase(Locale.ROOT));
    }

    private static String string(JsonObject more, String name, String absent) {
        return more.has(name) ? more.get(name).getAsString() : absent;
    }

    private static boolean holdsLists(JsonElement texts) {
        return texts instanceof JsonArray array
                && !array.isEmpty()
                && array.get(0).isJsonArray();
    }

    private static List<String> strings(JsonElement array) {
        if (array == null) {
            return null; // no expected value: the case must throw before it is compared
        }
        List<String> strings = new ArrayList<>();
        array.getAsJsonArray().forEach(element -> strings.add(element.getAsString()));
        return strings;
    }

    private static List<List<String>> tokenLists(JsonElement arrays) {
        List<List<String>> lists = new ArrayList<>();
        arrays.getAsJsonArray().forEach(array -> lists.add(strings(array)));
        return lists;
    }

    @Test
    void theFixtureNamesItsSourceAndHasEnoughCases() throws IOException {
        JsonObject header = fixture().getAsJsonObject("header");
        assertTrue(header.get("keras").getAsString().matches("[0-9]+\\.[0-9]+\\.[0-9]+.*"));
        assertTrue(header.get("keras_commit").getAsString().matches("[0-9a-f]{40}"));
        assertTrue(cases().count() >= 40);
    }

    /** With -Delman.text.out=FOLDER: our files, for {@code ci/keras_text.py --read} to let Keras read them. */
    @Test
    void writesItsTokenizersForKerasToRead() throws IOException {
        String folder = System.getProperty("elman.text.out");
        List<JsonObject> written = cases().map(Named::getPayload)
                .filter(c -> c.get("op").getAsString().equals("to_json"))
                .toList();
        assertTrue(written.size() >= 9);
        for (int i = 0; folder != null && i < written.size(); i++) {
            Path file = Files.createDirectories(Path.of(folder)).resolve(i + ".json");
            Files.writeString(file, fitted(written.get(i)).toJson());
        }
    }
}
