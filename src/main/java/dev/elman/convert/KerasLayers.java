package dev.elman.convert;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.elman.io.ModelFileException;
import dev.elman.io.hdf5.Hdf5;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the layers of a file: by its configuration where it has one, else by the names of its arrays. */
final class KerasLayers {
    /** Where a layer of Keras 3 has its arrays; a wrapper's forward ones come first. */
    private static final List<String> PLACES =
            List.of("vars", "cell/vars", "forward_layer/cell/vars", "backward_layer/cell/vars");

    /** The layers we know by the names that Keras 3 makes of their classes, in the order in which they can follow. */
    private static final Map<String, String> BY_GROUP = Map.of(
            "embedding", "Embedding",
            "simple_rnn", "SimpleRNN",
            "bidirectional", "Bidirectional",
            "dense", "Dense");

    private static final Pattern NUMBERED = Pattern.compile("(.+?)(?:_(\\d{1,6}))?");
    private static final String MASK = "NotEqual";
    private static final String LEGACY = "model_weights";
    private static final String CHECK = "Check what wrote the file";

    private final Path file;
    private final Hdf5 content;

    KerasLayers(Path file, Hdf5 content) {
        this.file = file;
        this.content = content;
    }

    /** Whether the file is of Keras's older format, with the layers' names in attributes. */
    boolean isLegacy() {
        return !names(LEGACY + "@layer_names").isEmpty()
                || !names("@layer_names").isEmpty();
    }

    /** The layers of a .weights.h5, with the configuration of the .keras around it, or null. */
    List<KerasLayer> keras3(String config) throws ModelFileException {
        String root = "layers/";
        for (String array : content.arrays().keySet()) {
            // TensorFlow 2.12 and 2.13 called it so.
            if (array.startsWith("_layer_checkpoint_dependencies/")) root = "_layer_checkpoint_dependencies/";
        }
        return config == null ? byGroups(root) : byConfig(root, layers(config));
    }

    private List<KerasLayer> byConfig(String root, List<KerasLayer> configured) {
        Map<String, Integer> seen = new HashMap<>();
        List<KerasLayer> layers = new ArrayList<>();
        for (KerasLayer layer : configured) {
            String group = snakeCase(layer.type());
            int number = seen.merge(group, 1, Integer::sum) - 1;
            String path = root + group + (number == 0 ? "" : "_" + number);
            layers.add(new KerasLayer(file, layer.name(), layer.type(), layer.config(), arraysOf(path)));
        }
        return layers;
    }

    private List<KerasLayer> byGroups(String root) {
        Set<String> groups = new LinkedHashSet<>();
        for (String array : content.arrays().keySet()) {
            int end = array.indexOf('/', root.length());
            if (array.startsWith(root) && end > 0) groups.add(array.substring(root.length(), end));
        }
        List<KerasLayer> layers = new ArrayList<>();
        for (String group : groups) {
            List<String> arrays = arraysOf(root + group);
            if (arrays.isEmpty()) continue; // the random state of a dropout, no more
            Matcher numbered = NUMBERED.matcher(group);
            String type = numbered.matches() ? numbered.group(1) : group;
            layers.add(new KerasLayer(file, group, BY_GROUP.getOrDefault(type, type), new JsonObject(), arrays));
        }
        layers.sort(Comparator.comparingInt((KerasLayer layer) -> KerasReader.stage(layer.type()))
                .thenComparingInt(layer -> number(layer.name())));
        return layers;
    }

    private static int number(String group) {
        Matcher numbered = NUMBERED.matcher(group);
        return numbered.matches() && numbered.group(2) != null ? Integer.parseInt(numbered.group(2)) : 0;
    }

    private List<String> arraysOf(String path) {
        List<String> arrays = new ArrayList<>();
        for (String place : PLACES) {
            for (int i = 0; content.arrays().containsKey(path + "/" + place + "/" + i); i++) {
                arrays.add(path + "/" + place + "/" + i);
            }
        }
        return arrays;
    }

    /** Keras's own rule: an underscore before each capital that begins a word. */
    private static String snakeCase(String type) {
        return type.replaceAll("\\W+", "")
                .replaceAll("(.)([A-Z][a-z]+)", "$1_$2")
                .replaceAll("([a-z])([A-Z])", "$1_$2")
                .toLowerCase(Locale.ROOT);
    }

    /** The layers of an .h5. */
    List<KerasLayer> legacy() throws ModelFileException {
        String root = names("@layer_names").isEmpty() ? LEGACY : "";
        Map<String, List<String>> arrays = new HashMap<>();
        List<String> withWeights = new ArrayList<>();
        for (String name : names(root + "@layer_names")) {
            String path = root.isEmpty() ? name : root + "/" + name;
            List<String> weights = new ArrayList<>();
            for (String weight : names(path + "@weight_names")) weights.add(path + "/" + weight);
            arrays.put(name, weights);
            if (!weights.isEmpty()) withWeights.add(name);
        }
        List<String> config = names("@model_config");
        List<KerasLayer> layers = new ArrayList<>();
        if (config.isEmpty()) {
            for (String name : withWeights) {
                layers.add(new KerasLayer(
                        file, name, typeByWeights(arrays.get(name)), new JsonObject(), arrays.get(name)));
            }
            return layers;
        }
        for (KerasLayer layer : layers(config.get(0))) {
            List<String> weights = arrays.getOrDefault(layer.name(), List.of());
            layers.add(new KerasLayer(file, layer.name(), layer.type(), layer.config(), weights));
        }
        List<String> configured = layers.stream()
                .filter(layer -> !layer.arrays().isEmpty())
                .map(KerasLayer::name)
                .toList();
        if (!configured.equals(withWeights)) {
            throw wrong("layer_names", "the order of model_config: " + configured, withWeights.toString());
        }
        return layers;
    }

    private static String typeByWeights(List<String> weights) {
        String names = String.join(" ", weights);
        if (names.contains("embeddings")) return "Embedding";
        if (names.contains("recurrent_kernel")) return weights.size() > 3 ? "Bidirectional" : "SimpleRNN";
        return names.contains("kernel") ? "Dense" : "a layer with " + weights.size() + " arrays";
    }

    /** A list of names, which Keras spreads over several attributes when it is long. */
    private List<String> names(String attribute) {
        List<String> whole = content.texts().get(attribute);
        if (whole != null) return whole;
        List<String> parts = new ArrayList<>();
        for (int i = 0; content.texts().containsKey(attribute + i); i++) {
            parts.addAll(content.texts().get(attribute + i));
        }
        return parts;
    }

    /** The layers that a configuration lists, without arrays; a functional model must be a chain. */
    private List<KerasLayer> layers(String config) throws ModelFileException {
        JsonElement model;
        try {
            model = JsonParser.parseString(config);
        } catch (JsonParseException e) {
            throw wrong("model configuration", "JSON", "something else");
        }
        JsonElement settings = model instanceof JsonObject object ? object.get("config") : null;
        JsonElement list = settings instanceof JsonObject object ? object.get("layers") : settings;
        if (!(list instanceof JsonArray entries)) {
            throw wrong("model configuration", "a Sequential or Functional model with layers", "none");
        }
        List<KerasLayer> layers = new ArrayList<>();
        for (JsonElement entry : entries) {
            KerasLayer layer = layer(entry);
            if (layer.type().equals(MASK)) {
                requireMaskOfEmbedding(layer, entry, layers);
            } else {
                requireOneAfterAnother(layer, entry, layers);
                layers.add(layer);
            }
        }
        if (settings instanceof JsonObject object && object.has("output_layers")) {
            requireLastAlone(object.get("output_layers"), layers);
        }
        return layers;
    }

    private static void requireLastAlone(JsonElement outputs, List<KerasLayer> layers) throws ModelFileException {
        if (layers.isEmpty()) return; // which is refused later
        Set<String> answers = new LinkedHashSet<>();
        collectNames(outputs, layers, answers);
        KerasLayer last = layers.get(layers.size() - 1);
        if (!answers.equals(Set.of(last.name()))) {
            throw last.wrong("the model's output from this layer alone", answers.toString());
        }
    }

    private KerasLayer layer(JsonElement entry) throws ModelFileException {
        if (!(entry instanceof JsonObject layer
                && layer.get("class_name") instanceof JsonPrimitive type
                && layer.get("config") instanceof JsonObject settings)) {
            throw wrong("model configuration", "layers with class_name and config", "another");
        }
        String name = settings.get("name") instanceof JsonPrimitive given
                ? given.getAsString()
                : snakeCase(type.getAsString());
        KerasLayer result = new KerasLayer(file, name, type.getAsString(), settings, List.of());
        result.requireKerasOwn(layer);
        return result;
    }

    private static void requireOneAfterAnother(KerasLayer layer, JsonElement entry, List<KerasLayer> before)
            throws ModelFileException {
        if (!(inbound(entry) instanceof JsonArray inbound) || before.isEmpty()) return;
        if (inbound.size() > 1) throw layer.wrong("one use of the layer", Integer.toString(inbound.size()));
        if (holdsConstant(inbound)) throw layer.wrong("no input but other layers'", "a constant, such as a mask");
        Set<String> sources = new LinkedHashSet<>();
        collectNames(inbound, before, sources);
        String previous = before.get(before.size() - 1).name();
        if (!sources.equals(Set.of(previous))) {
            throw layer.wrong("input from " + ModelFileException.brief(previous) + " alone", sources.toString());
        }
    }

    /**
     * What mask_zero of an Embedding becomes in a functional model of Keras 3: its ids, compared with 0, are handed to all
     * layers that take a mask. It has no weights and tells nothing that mask_zero does not.
     */
    private static void requireMaskOfEmbedding(KerasLayer mask, JsonElement entry, List<KerasLayer> before)
            throws ModelFileException {
        String ids = null;
        for (int i = 1; i < before.size(); i++) {
            KerasLayer layer = before.get(i);
            if (layer.type().equals("Embedding") && layer.flag("mask_zero"))
                ids = before.get(i - 1).name();
        }
        Set<String> sources = new LinkedHashSet<>();
        JsonElement inbound = inbound(entry);
        collectNames(inbound, before, sources);
        boolean withZero = inbound instanceof JsonArray nodes
                && nodes.size() == 1
                && nodes.get(0) instanceof JsonObject node
                && node.get("args") instanceof JsonArray args
                && args.size() == 2
                && args.get(1) instanceof JsonPrimitive number
                && number.isNumber()
                && number.getAsDouble() == 0;
        if (ids == null || !withZero || !sources.equals(Set.of(ids))) {
            throw mask.wrong("no mask but that of an Embedding with mask_zero", "another");
        }
    }

    private static JsonElement inbound(JsonElement entry) {
        return entry.getAsJsonObject().get("inbound_nodes");
    }

    /** Whether a call was given numbers, as its mask or initial_state: Keras 3 wraps them, Keras 2 gives them as they are. */
    private static boolean holdsConstant(JsonElement element) {
        if (element instanceof JsonArray array) {
            for (JsonElement inner : array) if (holdsConstant(inner)) return true;
        }
        if (!(element instanceof JsonObject object)) return false;
        if (object.get("class_name") instanceof JsonPrimitive type
                && Set.of("__tensor__", "__numpy__").contains(type.getAsString())) {
            return true;
        }
        for (Map.Entry<String, JsonElement> entry : object.entrySet()) {
            boolean operand = Set.of("mask", "initial_state").contains(entry.getKey());
            if (operand && beginsWithANumber(entry.getValue())) return true;
            if (holdsConstant(entry.getValue())) return true;
        }
        return false;
    }

    private static boolean beginsWithANumber(JsonElement element) {
        if (element instanceof JsonArray array) return !array.isEmpty() && beginsWithANumber(array.get(0));
        return element instanceof JsonPrimitive leaf && !leaf.isString();
    }

    /** The names of layers among all strings below an element; where a tensor comes from is written in several ways. */
    private static void collectNames(JsonElement element, List<KerasLayer> layers, Set<String> names) {
        if (element instanceof JsonArray array) array.forEach(inner -> collectNames(inner, layers, names));
        if (element instanceof JsonObject object) {
            object.entrySet().forEach(inner -> collectNames(inner.getValue(), layers, names));
        }
        if (element instanceof JsonPrimitive text && text.isString()) {
            for (KerasLayer layer : layers) {
                if (layer.name().equals(text.getAsString())) names.add(layer.name());
            }
        }
    }

    private ModelFileException wrong(String place, String expected, String found) {
        return new ModelFileException(file, place, expected, found, CHECK);
    }
}
