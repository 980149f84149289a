package dev.elman.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonNull;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializer;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.PrintWriter;

/** How {@code --json} is written: one object, indented, absent values as null, and so NaN and infinity, which JSON lacks. */
final class Json {
    private static final JsonSerializer<Double> NUMBER =
            (value, type, context) -> Double.isFinite(value) ? new JsonPrimitive(value) : JsonNull.INSTANCE;

    private static final Gson GSON = new GsonBuilder()
            .registerTypeAdapter(double.class, NUMBER)
            .registerTypeAdapter(Double.class, NUMBER)
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private Json() {}

    static void print(PrintWriter out, Object value) {
        GSON.toJson(value, out); // piece by piece: all of it may be longer than a String can be
        out.println();
    }

    /** For an object that is written while it comes to be, its values by {@link #write}. */
    static JsonWriter writer(PrintWriter out) throws IOException {
        return GSON.newJsonWriter(out);
    }

    static void write(JsonWriter writer, Object value) {
        GSON.toJson(value, value == null ? Object.class : value.getClass(), writer);
    }
}
