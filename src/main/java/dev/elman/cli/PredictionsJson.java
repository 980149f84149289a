package dev.elman.cli;

import com.google.gson.stream.JsonWriter;
import dev.elman.backend.Backend;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What {@code predict --json} prints: one object, written as the answers come, for all of them may not fit into memory. Closing
 * it ends the object; without an answer there is none.
 */
final class PredictionsJson implements AutoCloseable {
    private final PrintWriter out;
    private final Path model;
    private final Backend backend;
    private JsonWriter json;
    private List<Labelled> steps;

    PredictionsJson(PrintWriter out, Path model, Backend backend) {
        this.out = out;
        this.model = model;
        this.backend = backend;
    }

    void add(List<Labelled> answers) {
        try {
            if (json == null) begin();
            for (Labelled answer : answers) Json.write(json, answer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void begin() throws IOException {
        json = Json.writer(out);
        json.beginObject();
        json.name("model").value(model.toString());
        json.name("backend").value(backend.name());
        json.name("predictions").beginArray();
    }

    /** What {@code --explain} shows, null without it. */
    void explain(List<Labelled> steps) {
        this.steps = steps;
    }

    @Override
    public void close() throws IOException {
        if (json == null) return;
        json.endArray().name("steps");
        Json.write(json, steps);
        json.endObject();
        out.println();
    }
}
