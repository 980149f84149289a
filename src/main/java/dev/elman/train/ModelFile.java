package dev.elman.train;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.io.DType;
import dev.elman.io.ModelFileException;
import dev.elman.io.SafeTensors;
import dev.elman.text.Tokenizer;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A model in a safetensors file: weights by name, and what else it is made of as metadata. */
final class ModelFile {
    static final String CONFIG = "elman.config";
    static final String LABELS = "elman.labels";
    static final String TOKENIZER = "elman.tokenizer";
    private static final String KIND = "elman.kind";
    private static final String VERSION = "elman.version";
    private static final String CURRENT = "1";
    private static final Gson GSON = new Gson();

    private final Path file;
    private final SafeTensors contents;

    private ModelFile(Path file, SafeTensors contents) {
        this.file = file;
        this.contents = contents;
    }

    static String toJson(Object value) {
        return GSON.toJson(value);
    }

    /** Writes weights as float32, in one move or not at all. */
    static void write(Path file, String kind, Map<String, String> metadata, Parameters weights) throws IOException {
        Map<String, String> all = new LinkedHashMap<>();
        all.put(VERSION, CURRENT);
        all.put(KIND, kind);
        all.putAll(new TreeMap<>(metadata));
        Map<String, SafeTensors.Entry> tensors = new LinkedHashMap<>();
        weights.views()
                .forEach((name, view) ->
                        tensors.put(name, SafeTensors.Entry.of(extents(view.shape()), view.toFloats())));
        new SafeTensors(tensors, all).write(file);
    }

    private static List<Integer> extents(Shape shape) {
        List<Integer> extents = new ArrayList<>();
        for (int axis = 0; axis < shape.rank(); axis++) extents.add(shape.extent(axis));
        return extents;
    }

    static ModelFile read(Path file, String kind) throws IOException {
        ModelFile saved = new ModelFile(file, SafeTensors.read(file));
        String version = saved.metadata(VERSION);
        if (!version.equals(CURRENT)) {
            throw saved.wrong(
                    VERSION,
                    "is " + version + ", but this elman reads version " + CURRENT
                            + ". Use the elman that wrote the file, or train anew");
        }
        String found = saved.metadata(KIND);
        if (!found.equals(kind)) throw saved.wrong(KIND, "is " + found + ", but " + kind + " was asked for");
        return saved;
    }

    /** The configuration, a record whose constructor checks it. */
    <T extends Record> T config(Class<T> type) throws ModelFileException {
        String text = metadata(CONFIG);
        try {
            JsonElement json = JsonParser.parseString(text);
            for (RecordComponent component : type.getRecordComponents()) {
                if (!json.getAsJsonObject().has(component.getName())) {
                    throw wrong(CONFIG, "has no " + component.getName());
                }
            }
            return GSON.fromJson(json, type);
        } catch (RuntimeException e) { // whatever Gson and the record's own checks find
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new ModelFileException(
                    file, "metadata " + CONFIG + " is not a " + type.getSimpleName() + ": " + cause.getMessage(), e);
        }
    }

    /** The names of the classes. */
    List<String> labels(int classes) throws ModelFileException {
        String[] labels;
        try {
            labels = GSON.fromJson(metadata(LABELS), String[].class);
        } catch (RuntimeException e) {
            throw new ModelFileException(file, "metadata " + LABELS + " is not a list of names: " + e.getMessage(), e);
        }
        List<String> names = labels == null ? List.of() : new ArrayList<>(List.of(labels));
        if (names.size() != classes || new HashSet<>(names).size() != classes) {
            throw wrong(LABELS, "must be " + classes + " different names, but is " + names);
        }
        return names;
    }

    /** The tokenizer, whose ids must lie below the vocabulary. */
    Tokenizer tokenizer(int vocabulary) throws ModelFileException {
        Tokenizer tokenizer;
        try {
            tokenizer = Tokenizer.fromJson(metadata(TOKENIZER));
        } catch (RuntimeException e) {
            throw new ModelFileException(file, "metadata " + TOKENIZER + " cannot be read: " + e.getMessage(), e);
        }
        int largest = tokenizer.indexWord().keySet().stream()
                .mapToInt(Integer::intValue)
                .max()
                .orElse(0);
        if (largest >= vocabulary) {
            throw wrong(TOKENIZER, "has id " + largest + ", but the vocabulary is " + vocabulary);
        }
        return tokenizer;
    }

    /** Checks that the file holds exactly these weights, before anything of their size is allocated. */
    void check(List<Parameters.Spec> specs) throws ModelFileException {
        List<String> names = specs.stream().map(Parameters.Spec::name).toList();
        if (!contents.tensors().keySet().equals(new HashSet<>(names))) {
            throw new ModelFileException(
                    file, "holds the tensors " + contents.tensors().keySet() + ", but the model needs " + names + ".");
        }
        for (Parameters.Spec spec : specs) {
            SafeTensors.Entry entry = contents.tensors().get(spec.name());
            if (entry.dtype() != DType.F32 || !entry.shape().equals(extents(spec.shape()))) {
                throw new ModelFileException(
                        file,
                        "tensor " + spec.name() + " must be F32 " + spec.shape() + ", but is " + entry.dtype() + " "
                                + entry.shape() + ".");
            }
            for (float value : entry.floats()) {
                if (!Float.isFinite(value)) {
                    throw new ModelFileException(
                            file, "tensor " + spec.name() + " holds " + value + ", which no weight can be.");
                }
            }
        }
    }

    /** Copies the file's tensors, checked before, into the parameters of the same names. */
    void load(Parameters weights) {
        weights.views()
                .forEach((name, view) -> view.set(contents.tensors().get(name).floats()));
    }

    private String metadata(String key) throws ModelFileException {
        String value = contents.metadata().get(key);
        if (value == null) throw wrong(key, "is missing. Was the file written by elman?");
        return value;
    }

    ModelFileException wrong(String key, String problem) {
        return new ModelFileException(file, "metadata " + key + " " + problem + ".");
    }
}
