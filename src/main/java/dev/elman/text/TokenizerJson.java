package dev.elman.text;

import com.google.gson.FormattingStyle;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Keras's file of a tokenizer: an object with {@code class_name} and {@code config}; the five tables in config are
 * strings that hold JSON themselves, and their integer keys are strings (Keras's get_config and tokenizer_from_json).
 */
final class TokenizerJson {
    /** Python's json.dumps: a space after separators, nulls written. */
    private static final Gson GSON = new GsonBuilder()
            .disableHtmlEscaping()
            .serializeNulls()
            .setFormattingStyle(FormattingStyle.COMPACT.withSpaceAfterSeparators(true))
            .create();

    private static final Set<String> KEYS = Set.of(
            "num_words",
            "nb_words", // num_words in files of Keras 1
            "filters",
            "lower",
            "split",
            "char_level",
            "oov_token",
            "document_count",
            "word_counts",
            "word_docs",
            "index_docs",
            "index_word",
            "word_index");

    /** What Gson's messages say of a place. */
    private static final Pattern PLACE = Pattern.compile("at line \\d+ column \\d+");

    private TokenizerJson() {}

    static String write(TokenizerSettings settings, Vocabulary vocabulary) {
        JsonObject config = new JsonObject();
        config.addProperty("num_words", settings.numWords());
        config.addProperty("filters", settings.filters());
        config.addProperty("lower", settings.lower());
        config.addProperty("split", settings.split());
        config.addProperty("char_level", settings.charLevel());
        config.addProperty("oov_token", settings.oovToken());
        config.addProperty("document_count", vocabulary.documentCount);
        config.addProperty("word_counts", numbers(vocabulary.wordCounts));
        config.addProperty("word_docs", numbers(vocabulary.wordDocs));
        config.addProperty("index_docs", numbers(vocabulary.indexDocs));
        JsonObject indexWord = new JsonObject();
        vocabulary.indexWord.forEach((id, word) -> indexWord.addProperty(id.toString(), word));
        config.addProperty("index_word", dumps(indexWord));
        config.addProperty("word_index", numbers(vocabulary.wordIndex));
        JsonObject tokenizer = new JsonObject();
        tokenizer.addProperty("class_name", "Tokenizer");
        tokenizer.add("config", config);
        return dumps(tokenizer);
    }

    private static String numbers(Map<?, ? extends Number> table) {
        JsonObject object = new JsonObject();
        table.forEach((key, value) -> object.addProperty(key.toString(), value));
        return dumps(object);
    }

    /** Escapes all but printable ASCII, as Python does; outside its strings a JSON text has nothing else. */
    private static String dumps(JsonObject object) {
        String json = GSON.toJson(object);
        StringBuilder ascii = new StringBuilder(json.length());
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            if (c < ' ' || c > '~') {
                ascii.append(String.format("\\u%04x", (int) c));
            } else {
                ascii.append(c);
            }
        }
        return ascii.toString();
    }

    static Tokenizer read(String json) {
        JsonObject file = parse(json, "the text");
        if (!(file.get("config") instanceof JsonObject config)) {
            throw bad("an object 'config'", "none", "the text");
        }
        for (String key : config.keySet()) {
            if (!KEYS.contains(key)) {
                throw bad("Keras's settings of a Tokenizer", "the unknown '" + key + "'", "config");
            }
        }
        TokenizerSettings settings = new TokenizerSettings(
                numWords(config),
                string(config, "filters", TextPreprocessing.DEFAULT_FILTERS),
                bool(config, "lower", true),
                string(config, "split", TextPreprocessing.DEFAULT_SPLIT),
                bool(config, "char_level", false),
                string(config, "oov_token", null));
        Vocabulary vocabulary = new Vocabulary();
        vocabulary.documentCount = config.has("document_count")
                ? natural(config.get("document_count"), Long.MAX_VALUE, "document_count")
                : 0;
        table(config, "word_counts").forEach((k, v) -> vocabulary.wordCounts.put(k, count(v, "word_counts")));
        table(config, "word_docs").forEach((k, v) -> vocabulary.wordDocs.put(k, count(v, "word_docs")));
        table(config, "index_docs")
                .forEach((k, v) -> vocabulary.indexDocs.put(key(k, "index_docs"), count(v, "index_docs")));
        table(config, "index_word")
                .forEach((k, v) -> vocabulary.indexWord.put(key(k, "index_word"), text(v, "index_word")));
        table(config, "word_index").forEach((k, v) -> vocabulary.wordIndex.put(k, id(v, "word_index")));
        return new Tokenizer(settings, vocabulary);
    }

    /**
     * JSON, one object, nothing after it: Gson's parser would take comments and unquoted names too, and its newest strictness
     * refuses half a surrogate pair, which Python writes and reads.
     */
    private static JsonObject parse(String json, String where) {
        if (json == null) {
            throw bad("JSON", "null", where);
        }
        JsonReader reader = new JsonReader(new StringReader(json));
        reader.setStrictness(Strictness.LEGACY_STRICT);
        try {
            JsonElement element = GSON.getAdapter(JsonElement.class).read(reader);
            if (element instanceof JsonObject object && reader.peek() == JsonToken.END_DOCUMENT) {
                return object;
            }
        } catch (JsonParseException | IOException e) {
            Matcher at = PLACE.matcher(String.valueOf(e.getMessage()));
            throw bad("a JSON object", "malformed text" + (at.find() ? " " + at.group() : ""), where);
        }
        throw bad("one JSON object", "something else or more", where);
    }

    private static Map<String, JsonElement> table(JsonObject config, String name) {
        JsonElement value = config.get(name);
        if (value == null) {
            throw bad("a table '" + name + "'", "none", "config");
        }
        return parse(text(value, name), name).asMap();
    }

    private static Integer numWords(JsonObject config) {
        JsonElement value = config.has("nb_words") ? config.get("nb_words") : config.get("num_words");
        return value == null || value.isJsonNull() ? null : id(value, "num_words");
    }

    private static String string(JsonObject config, String name, String absent) {
        if (!config.has(name)) {
            return absent;
        }
        boolean none = absent == null && config.get(name) == JsonNull.INSTANCE;
        return none ? null : text(config.get(name), name);
    }

    private static boolean bool(JsonObject config, String name, boolean absent) {
        if (!config.has(name)) {
            return absent;
        }
        JsonElement value = config.get(name);
        if (value.isJsonPrimitive() && value.getAsJsonPrimitive().isBoolean()) {
            return value.getAsBoolean();
        }
        throw bad("true or false", value.toString(), name);
    }

    private static String text(JsonElement value, String where) {
        if (value.isJsonPrimitive() && value.getAsJsonPrimitive().isString()) {
            return value.getAsString();
        }
        throw bad("a string", value.toString(), where);
    }

    private static long count(JsonElement value, String where) {
        return natural(value, Long.MAX_VALUE, where);
    }

    private static int id(JsonElement value, String where) {
        return (int) natural(value, Integer.MAX_VALUE, where);
    }

    private static int key(String key, String where) {
        try {
            return Integer.parseInt(key);
        } catch (NumberFormatException e) {
            throw bad("ids as keys", "'" + key + "'", where);
        }
    }

    private static long natural(JsonElement value, long max, String where) {
        // Digits only, before any arithmetic: a number like 1e999999999 must not be expanded.
        if (value.isJsonPrimitive()
                && value.getAsJsonPrimitive().isNumber()
                && value.getAsString().matches("[0-9]{1,18}")
                && value.getAsLong() <= max) {
            return value.getAsLong();
        }
        throw bad("whole numbers of 0 or more", value.toString(), where);
    }

    private static TokenizerJsonException bad(String expected, String given, String where) {
        return new TokenizerJsonException(where, expected, given);
    }
}
