package dev.elman.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.PrintWriter;

/** How {@code --json} is written: one object, indented, absent values as null. */
final class Json {
    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private Json() {}

    static void print(PrintWriter out, Object value) {
        GSON.toJson(value, out); // piece by piece: all of it may be longer than a String can be
        out.println();
    }

    /** JSON knows no NaN and no infinity: null for them. */
    static Double number(double value) {
        return Double.isFinite(value) ? value : null;
    }
}
