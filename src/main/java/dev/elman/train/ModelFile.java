package dev.elman.train;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.elman.backend.Parameters;
import dev.elman.io.DType;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import dev.elman.text.Tokenizer;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A model in a safetensors file: weights by name, and what else it is made of as metadata. */
public final class ModelFile {
    /** Where the metadata say what the file holds. */
    public static final String KIND = "elman.kind";
    /** Where a classifier of texts has the names of its classes. */
    public static final String LABELS = "elman.labels";
    /** Where a model of texts has its vocabulary. */
    public static final String TOKENIZER = "elman.tokenizer";

    static final String CONFIG = "elman.config";
    private static final String VERSION = "elman.version";
    private static final String CURRENT = "1";
    private static final String TRAIN_ANEW = "The file is damaged or of another model: copy it again, or train anew.";
    private static final Gson GSON = new Gson();
    /** Elements of a tensor. */
    private static final int MOST = NdArray.most(DType.F32);

    /** Settings that the first model files do not have, and what they were then. */
    private static final Map<String, JsonPrimitive> LATER = Map.of(
            "layers", new JsonPrimitive(1),
            "recurrentDropout", new JsonPrimitive(0),
            "bias", new JsonPrimitive(true),
            "recurrentBias", new JsonPrimitive(false),
            "merge", new JsonPrimitive("CONCAT"),
            "goBackwards", new JsonPrimitive(false),
            "backSteps", new JsonPrimitive(0),
            "tied", new JsonPrimitive(false));

    private final Path file;
    private final SafeTensors contents;

    private ModelFile(Path file, SafeTensors contents) {
        this.file = file;
        this.contents = contents;
    }

    /**
     * What a safetensors file says it holds, such as {@link TextClassifier#KIND}; empty for a file that is not elman's.
     *
     * @throws ModelFileException if it is no safetensors file
     */
    public static Optional<String> kind(Path file) throws IOException {
        return Optional.ofNullable(SafeTensors.metadata(file).get(KIND));
    }

    static String toJson(Object value) {
        return GSON.toJson(value);
    }

    /** A configuration's settings by name. */
    static Map<String, String> entries(Record config) {
        Map<String, String> entries = new LinkedHashMap<>();
        GSON.toJsonTree(config)
                .getAsJsonObject()
                .entrySet()
                .forEach(entry -> entries.put(entry.getKey(), entry.getValue().getAsString()));
        return entries;
    }

    /** Writes weights as float32, in one move or not at all; throws {@link IllegalStateException} if one is not finite. */
    static void write(Path file, String kind, Map<String, String> metadata, Parameters weights) throws IOException {
        Map<String, String> all = new LinkedHashMap<>();
        all.put(VERSION, CURRENT);
        all.put(KIND, kind);
        all.putAll(new TreeMap<>(metadata));
        Map<String, NdArray> tensors = new LinkedHashMap<>();
        Pieces.of(weights.views(), MOST).forEach((name, view) -> {
            float[] values = view.toFloats();
            requireFinite(file, name, values);
            tensors.put(name, NdArray.ofFloats(values, view.shape().extents()));
        });
        new SafeTensors(tensors, all).write(file);
    }

    /** What would be refused on the way in is not let out. */
    private static void requireFinite(Path file, String name, float[] values) {
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw new IllegalStateException("save: the weights " + name + " hold " + value + ", so " + file
                        + " was not written. Train anew with a smaller learning rate.");
            }
        }
    }

    static ModelFile read(Path file, String kind) throws IOException {
        ModelFile saved = new ModelFile(file, SafeTensors.read(file));
        String found = saved.metadata(KIND);
        if (!found.equals(kind)) throw saved.wrongEntry(KIND, kind, found, "Load it as what it is.");
        String version = saved.metadata(VERSION);
        if (!version.equals(CURRENT)) {
            throw saved.wrongEntry(VERSION, CURRENT, version, "Use the elman that wrote the file, or train anew.");
        }
        return saved;
    }

    /** The configuration, a record whose constructor checks it. */
    <T extends Record> T config(Class<T> type) throws ModelFileException {
        String text = metadata(CONFIG);
        String expected = "a " + type.getSimpleName();
        JsonObject json;
        try {
            json = JsonParser.parseString(text).getAsJsonObject();
        } catch (RuntimeException e) { // not JSON, or not an object
            throw wrongEntry(CONFIG, expected, ModelFileException.brief(text));
        }
        LATER.forEach((name, value) -> {
            if (!json.has(name)) json.add(name, value);
        });
        for (RecordComponent component : type.getRecordComponents()) {
            if (!json.has(component.getName()))
                throw wrongEntry(CONFIG, component.getName(), ModelFileException.brief(text));
        }
        T config;
        try {
            config = GSON.fromJson(json, type);
        } catch (RuntimeException e) { // whatever Gson and the record's own checks find
            Throwable cause = e.getCause() == null ? e : e.getCause();
            String why = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
            throw wrongEntry(CONFIG, expected, ModelFileException.brief(text) + " (" + why + ")");
        }
        // Before the names of all their weights are put together, which may be more than memory holds.
        int layers = json.get("layers").getAsInt();
        int tensors = contents.tensors().size();
        if (layers > tensors) throw wrong("tensors", "some for each of " + layers + " layers", "" + tensors);
        return config;
    }

    /** The names of the classes. */
    List<String> labels(int classes) throws ModelFileException {
        String text = metadata(LABELS);
        String[] labels;
        try {
            labels = GSON.fromJson(text, String[].class);
        } catch (RuntimeException e) {
            labels = null;
        }
        Set<String> names = labels == null ? Set.of() : new LinkedHashSet<>(Arrays.asList(labels));
        if (names.size() != classes || names.contains(null) || labels.length != classes) {
            throw wrongEntry(LABELS, classes + " different names", ModelFileException.brief(text));
        }
        return List.copyOf(names);
    }

    /** The tokenizer, whose ids must lie below the vocabulary. */
    Tokenizer tokenizer(int vocabulary) throws ModelFileException {
        String text = metadata(TOKENIZER);
        Tokenizer tokenizer;
        try {
            tokenizer = Tokenizer.fromJson(text);
        } catch (RuntimeException e) {
            throw wrongEntry(TOKENIZER, "Keras's tokenizer JSON", "something else (" + e.getMessage() + ")");
        }
        int largest = Stream.concat(tokenizer.indexWord().keySet().stream(), tokenizer.wordIndex().values().stream())
                .mapToInt(Integer::intValue)
                .max()
                .orElse(0);
        if (largest >= vocabulary) throw wrongEntry(TOKENIZER, "ids below " + vocabulary, "" + largest);
        return tokenizer;
    }

    /** Checks that the file holds exactly these weights, before anything of their size is allocated. */
    void check(List<Parameters.Spec> specs) throws ModelFileException {
        List<Parameters.Spec> pieces = Pieces.of(specs, MOST);
        List<String> names = pieces.stream().map(Parameters.Spec::name).toList();
        Set<String> found = contents.tensors().keySet();
        if (!found.equals(Set.copyOf(names))) throw wrong("tensors", names.toString(), found.toString());
        for (Parameters.Spec spec : pieces) {
            NdArray entry = contents.tensors().get(spec.name());
            if (entry.dtype() != DType.F32 || !entry.hasShape(spec.shape().extents())) {
                throw wrong("tensor " + spec.name(), "F32 " + spec.shape(), entry.toString());
            }
            for (float value : entry.floats()) {
                if (!Float.isFinite(value)) throw wrong("tensor " + spec.name(), "finite weights", "" + value);
            }
        }
    }

    /**
     * Copies the file's tensors, checked before, into the parameters of the same names.
     *
     * @param close their model's, which nobody has yet if the heap is too small for that
     */
    void load(Parameters weights, Runnable close) {
        try {
            Pieces.of(weights.views(), MOST)
                    .forEach((name, view) ->
                            view.set(contents.tensors().get(name).floats()));
        } catch (RuntimeException | Error e) {
            close.run();
            throw e;
        }
    }

    private String metadata(String key) throws ModelFileException {
        String value = contents.metadata().get(key);
        if (value == null) throw wrongEntry(key, "an entry", "none", "Was the file written by elman?");
        return value;
    }

    private ModelFileException wrong(String place, String expected, String found) {
        return new ModelFileException(file, place, expected, found, TRAIN_ANEW);
    }

    /** What is wrong with an entry of the metadata. */
    ModelFileException wrongEntry(String key, String expected, String found) {
        return wrongEntry(key, expected, found, TRAIN_ANEW);
    }

    private ModelFileException wrongEntry(String key, String expected, String found, String remedy) {
        return new ModelFileException(file, "metadata " + key, expected, found, remedy);
    }
}
