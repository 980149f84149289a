package dev.elman.convert;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.elman.io.ModelFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * One layer of a file.
 *
 * @param file for messages
 * @param name the user's
 * @param type Keras's class, as in SimpleRNN
 * @param config its configuration; empty where the file has none
 * @param arrays names of its weights in the file, in Keras's order
 */
record KerasLayer(Path file, String name, String type, JsonObject config, List<String> arrays) {
    /** Keras's own modules. */
    private static final Pattern OWN = Pattern.compile("(tf_)?keras(\\..*)?");

    /** A setting that is a word: a string, or a function or an object whose configuration is one. Null where it is not set. */
    String word(String key) throws ModelFileException {
        JsonElement value = config.get(key);
        if (value instanceof JsonObject object) value = object.get("config");
        if (value == null || value.isJsonNull()) return null;
        if (value instanceof JsonPrimitive text && text.isString()) return text.getAsString();
        throw wrong("a word as " + key, brief(value));
    }

    /** A setting that is true or false; false where it is not set. */
    boolean flag(String key) throws ModelFileException {
        JsonElement value = config.get(key);
        if (value == null || value.isJsonNull()) return false;
        if (value instanceof JsonPrimitive flag && flag.isBoolean()) return flag.getAsBoolean();
        throw wrong("true or false as " + key, brief(value));
    }

    /** Checks that a setting, if it is there, is the size that the arrays have. */
    void requireSize(String key, int size) throws ModelFileException {
        JsonElement value = config.get(key);
        if (value != null && !value.toString().equals(Integer.toString(size))) {
            throw wrong(key + " " + size + ", as its arrays have it", brief(value));
        }
    }

    /** Checks that a switch is off, since elman has no such layer. */
    void requireOff(String key) throws ModelFileException {
        if (flag(key)) throw wrong(key + " false", "true");
    }

    /** Checks that an axis, if it is there, is the last one, counted from the end or from the front. */
    void requireAxis(int last) throws ModelFileException {
        JsonElement value = config.get("axis");
        if (value instanceof JsonArray list && list.size() == 1) value = list.get(0);
        if (value == null) return;
        String axis = value.toString();
        if (!axis.equals("-1") && !axis.equals(Integer.toString(last))) {
            throw wrong("axis -1, the last", brief(config.get("axis")));
        }
    }

    /**
     * Checks the entry that this is: a class that is not Keras's own may have the name of one that is. It is registered, and
     * lies in another module; Keras 3.0.0 and 3.0.1 give a registered name to its own, too.
     */
    void requireKerasOwn(JsonObject entry) throws ModelFileException {
        JsonElement registered = entry.get("registered_name");
        if (registered == null || registered.isJsonNull()) return;
        boolean plain =
                registered instanceof JsonPrimitive && registered.getAsString().equals(type);
        if (plain
                && entry.get("module") instanceof JsonPrimitive module
                && OWN.matcher(module.getAsString()).matches()) {
            return;
        }
        throw wrong("Keras's own " + ModelFileException.shortened(type), "a class registered as " + brief(registered));
    }

    /** A layer within this one, as a wrapper has it. */
    KerasLayer inner(String key) throws ModelFileException {
        JsonElement value = config.get(key);
        if (value == null) return new KerasLayer(file, name, "SimpleRNN", new JsonObject(), arrays);
        if (value instanceof JsonObject inner
                && inner.get("class_name") instanceof JsonPrimitive type
                && inner.get("config") instanceof JsonObject settings) {
            KerasLayer result = new KerasLayer(file, name, type.getAsString(), settings, arrays);
            result.requireKerasOwn(inner);
            return result;
        }
        throw wrong("a layer as " + key, brief(value));
    }

    /** As messages have it. */
    String place() {
        return "layer " + ModelFileException.brief(name) + " (" + ModelFileException.shortened(type) + ")";
    }

    ModelFileException wrong(String expected, String found) {
        return new ModelFileException(
                file,
                place(),
                expected,
                found,
                "elman reads Embedding, SimpleRNN, Bidirectional of it, a pooling over time and Dense, in this order");
    }

    private static String brief(JsonElement value) {
        return ModelFileException.shortened(value.toString());
    }
}
