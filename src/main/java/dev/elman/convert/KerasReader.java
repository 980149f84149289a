package dev.elman.convert;

import dev.elman.backend.Activation;
import dev.elman.convert.Report.How;
import dev.elman.io.ModelFileException;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.List;

/** Makes a network of a file's layers, one after another. */
final class KerasReader {
    /** The stage of which there may be several layers. */
    private static final int RECURRENT = 3;

    private final List<KerasLayer> layers;
    private final Hints hints;
    private final NetworkBuilder builder;

    private KerasLayer before;
    private int vocabulary;
    private int inputs;
    private int hidden;
    private int channels;
    private int layersRead;
    private boolean bias;
    private boolean bidirectional;
    /** Whether the embedding masks its id 0. */
    private boolean masked;

    /** What the configuration says; nothing where there is none. */
    private Hints said = Hints.NONE;

    private SimpleRnnConfig settled;
    /** The recurrent layer that was read last. */
    private String top;

    private int classes;
    private boolean softmaxed;

    KerasReader(List<KerasLayer> layers, Hints hints, NetworkBuilder builder) {
        this.layers = layers;
        this.hints = hints;
        this.builder = builder;
    }

    /** Where a layer of a type may stand among others; those of 0 may stand anywhere, those of -1 we do not know. */
    static int stage(String type) {
        return switch (type) {
            case "Dropout", "SpatialDropout1D" -> 0;
            case "InputLayer" -> 1;
            case "Embedding" -> 2;
            case "SimpleRNN", "Bidirectional" -> RECURRENT;
            case "GlobalMaxPooling1D", "GlobalAveragePooling1D" -> 4;
            case "Dense" -> 5;
            case "Activation", "Softmax" -> 6;
            default -> -1;
        };
    }

    Imported read() throws ModelFileException {
        for (KerasLayer layer : layers) {
            requireOrder(layer);
            switch (layer.type()) {
                case "Embedding" -> embedding(layer);
                case "SimpleRNN" -> recurrent(layer, layer, null, false);
                case "Bidirectional" -> bidirectional(layer);
                case "GlobalMaxPooling1D" -> pool(layer, Output.MAX);
                case "GlobalAveragePooling1D" -> pool(layer, Output.MEAN);
                case "Dense" -> dense(layer);
                case "Activation" -> softmax(layer, layer.word("activation"));
                case "Softmax" -> {
                    softmax(layer, "softmax");
                    layer.requireAxis(settled.output() == Output.SEQUENCE ? 2 : 1);
                }
                default -> {} // nothing to read
            }
        }
        if (layersRead == 0) {
            if (before == null) throw builder.wrong("layers", "a SimpleRNN among them", "none");
            throw before.wrong("a SimpleRNN among the layers", "none");
        }
        if (settled == null) settle(0);
        for (String array : builder.left()) {
            boolean state = array.startsWith("optimizer") || array.contains("seed_generator/");
            if (state) builder.ignore(array);
        }
        return builder.build(vocabulary, settled, classes, top);
    }

    private void settle(int denseInputs) throws ModelFileException {
        SimpleRnnConfig shape = SimpleRnnConfig.of(inputs, hidden)
                .withLayers(layersRead)
                .withBias(bias)
                .withBidirectional(bidirectional);
        settled = builder.settle(shape, said, hints, denseInputs, top);
        // Where there is a configuration, pool has seen to it.
        if (said.output() == null) KerasFile.differences(settled).forEach(builder::note);
    }

    private void requireOrder(KerasLayer layer) throws ModelFileException {
        int stage = stage(layer.type());
        if (stage < 0) throw layer.wrong("a layer that elman has", layer.type());
        if (stage == 0) return;
        int least = before == null ? 0 : stage(before.type());
        if (stage < least || (stage == least && stage != RECURRENT)) {
            throw layer.wrong("none of its kind after " + before.place(), "one");
        }
        before = layer;
    }

    private void embedding(KerasLayer layer) throws ModelFileException {
        requireArrays(layer, 1, 1);
        String table = layer.arrays().get(0);
        int[] shape = builder.matrix(table);
        vocabulary = shape[0];
        inputs = shape[1];
        layer.requireSize("input_dim", vocabulary);
        layer.requireSize("output_dim", inputs);
        if (layer.config().has("mask_zero")) {
            masked = layer.flag("mask_zero");
            builder.note(
                    layer.place()
                            + (masked
                                    ? ": Keras passes over the id 0 (mask_zero); give elman rows without it."
                                    : ": Keras reads padding like any other token (no mask_zero); give elman the padded rows."));
        }
        builder.copy(Network.TABLE, table, vocabulary, inputs);
    }

    private void bidirectional(KerasLayer layer) throws ModelFileException {
        KerasLayer forward = layer.inner("layer");
        KerasLayer backward = layer.config().has("backward_layer") ? layer.inner("backward_layer") : null;
        if (!forward.type().equals("SimpleRNN")) throw layer.wrong("a SimpleRNN inside", forward.type());
        forward.requireOff("go_backwards");
        recurrent(layer, forward, backward, true);
        said = said.withMerge(merge(layer));
    }

    /** Null where there is no configuration. */
    private static Merge merge(KerasLayer layer) throws ModelFileException {
        if (layer.config().entrySet().isEmpty()) return null;
        String name = layer.word("merge_mode");
        return switch (name == null ? "" : name) {
            case "concat" -> Merge.CONCAT;
            case "sum" -> Merge.SUM;
            case "mul" -> Merge.MUL;
            case "ave" -> Merge.AVE;
            default -> throw layer.wrong("merge_mode concat, sum, mul or ave", String.valueOf(name));
        };
    }

    private void recurrent(KerasLayer layer, KerasLayer forward, KerasLayer backward, boolean both)
            throws ModelFileException {
        if (layersRead > 0) requireBelow(layer);
        settings(layer, forward);
        if (backward != null && !sameCell(forward, backward)) {
            throw layer.wrong("two directions of one kind", "a backward_layer of another");
        }
        int directions = both ? 2 : 1;
        requireArrays(layer, 2 * directions, 3 * directions);
        int each = layer.arrays().size() / directions;
        if (each * directions != layer.arrays().size()) {
            throw layer.wrong(
                    "as many arrays forward as backward", layer.arrays().toString());
        }
        int[] kernel = builder.matrix(layer.arrays().get(0));
        int below = layersRead > 0 ? channels : vocabulary > 0 ? inputs : kernel[0];
        requireSame(layer, "inputs, as the layer below has outputs", below, kernel[0]);
        if (layersRead == 0) {
            inputs = kernel[0];
            hidden = kernel[1];
            bias = each == 3;
            bidirectional = both;
        }
        requireSame(layer, "units, as the layer below has", hidden, kernel[1]);
        requireSame(layer, "arrays for each direction, as the layer below has", bias ? 3 : 2, each);
        requireSame(layer, "directions, as the layer below has", bidirectional ? 2 : 1, directions);
        forward.requireSize("units", hidden);
        if (forward.config().has("use_bias") && forward.flag("use_bias") != bias) {
            throw layer.wrong("use_bias " + bias + ", as its arrays have it", "use_bias " + !bias);
        }
        for (int direction = 0; direction < directions; direction++) {
            cell(layer, layer.arrays().subList(direction * each, (direction + 1) * each), direction);
        }
        channels = directions * hidden;
        layersRead++;
        top = layer.place();
    }

    /** What a layer under another must be: elman stacks layers of one kind that hand up all steps, side by side. */
    private void requireBelow(KerasLayer layer) throws ModelFileException {
        if (said.output() == Output.LAST) throw layer.wrong("return_sequences true in the layer below", "false");
        if (!isSideBySide()) {
            throw layer.wrong(
                    "merge_mode concat in the layer below", said.merge().toString());
        }
        if (Boolean.TRUE.equals(said.goBackwards())) {
            throw layer.wrong("go_backwards false in the layer below", "true");
        }
    }

    private boolean isSideBySide() {
        return said.merge() == null || said.merge() == Merge.CONCAT;
    }

    private static void requireSame(KerasLayer layer, String what, int expected, int found) throws ModelFileException {
        if (expected != found) throw layer.wrong(expected + " " + what, Integer.toString(found));
    }

    private void settings(KerasLayer layer, KerasLayer cell) throws ModelFileException {
        cell.requireOff("return_state");
        cell.requireOff("time_major");
        if (cell.config().entrySet().isEmpty()) return;
        if (layersRead > 0) {
            cell.requireOff("go_backwards");
            boolean below = Boolean.TRUE.equals(said.stateful());
            if (cell.flag("stateful") != below) {
                throw layer.wrong("stateful " + below + ", as the layer below has", "" + !below);
            }
        }
        boolean sequence = cell.flag("return_sequences");
        // Of the layers below it does not matter, since the mask goes along; and two directions set it themselves.
        boolean zero = cell.flag("zero_output_for_mask");
        if (zero && !sequence && !layer.type().equals("Bidirectional")) {
            builder.note(layer.place() + ": where the last step of a row is masked Keras returns 0"
                    + " (zero_output_for_mask), elman its last live state.");
        }
        said = said.withGoBackwards(cell.flag("go_backwards"))
                .withZeroOutputForMask(zero)
                .withStateful(cell.flag("stateful"))
                .withOutput(sequence ? Output.SEQUENCE : Output.LAST);
        String name = cell.config().has("activation") ? cell.word("activation") : "tanh";
        Activation found = switch (name == null ? "linear" : name) {
            case "tanh" -> Activation.TANH;
            case "relu" -> Activation.RELU;
            case "linear" -> Activation.LINEAR;
            default -> throw layer.wrong("activation tanh, relu or linear", name);
        };
        if (layersRead > 0 && found != said.activation()) {
            throw layer.wrong("activation " + said.activation() + ", as the layer below has", found.toString());
        }
        said = said.withActivation(found);
    }

    private static boolean sameCell(KerasLayer one, KerasLayer other) throws ModelFileException {
        return other.type().equals(one.type())
                && String.valueOf(other.word("activation")).equals(String.valueOf(one.word("activation")))
                && other.flag("go_backwards")
                && other.flag("return_sequences") == one.flag("return_sequences")
                && other.flag("use_bias") == one.flag("use_bias")
                && other.flag("stateful") == one.flag("stateful")
                && other.flag("zero_output_for_mask") == one.flag("zero_output_for_mask");
    }

    private void cell(KerasLayer layer, List<String> arrays, int direction) throws ModelFileException {
        List<String> names = List.of("kernel", "recurrent_kernel", "bias");
        for (int i = 0; i < arrays.size(); i++) requireName(layer, arrays.get(i), names.get(i), direction);
        int below = layersRead == 0 ? inputs : channels;
        builder.copy(Network.rnn(layersRead, direction, "wx"), arrays.get(0), below, hidden);
        builder.copy(Network.rnn(layersRead, direction, "wh"), arrays.get(1), hidden, hidden);
        if (bias) builder.copy(Network.rnn(layersRead, direction, "b"), arrays.get(2), hidden);
    }

    /** The older format names its arrays, as in .../forward_simple_rnn/simple_rnn_cell/kernel:0; Keras 3 numbers them. */
    private static void requireName(KerasLayer layer, String array, String expected, int direction)
            throws ModelFileException {
        String name = array.substring(array.lastIndexOf('/') + 1).replace(":0", "");
        if (name.length() < 3) return; // a number
        boolean both = layer.type().equals("Bidirectional");
        String other = direction == 0 ? "backward_" : "forward_";
        if (!name.equals(expected) || (both && ownerOf(array).startsWith(other))) {
            String which = both ? (direction == 0 ? "forward " : "backward ") : "";
            throw layer.wrong("its " + which + expected + " here", ModelFileException.brief(array));
        }
    }

    /** The layer that has the array, perhaps in its cell; the names in front of it, the model's among them, are the user's. */
    private static String ownerOf(String array) {
        String[] path = array.split("/", -1);
        int at = path.length - 2;
        if (at > 0 && path[at].startsWith("simple_rnn_cell")) at--;
        return at < 0 ? "" : path[at];
    }

    private void pool(KerasLayer layer, Output pooling) throws ModelFileException {
        if (said.output() == Output.LAST) {
            throw layer.wrong("return_sequences true in the layer before", "false");
        }
        String format = layer.word("data_format");
        if (format != null && !format.equals("channels_last")) throw layer.wrong("data_format channels_last", format);
        layer.requireOff("keepdims");
        if (!poolsAlike(pooling, said.merge())) {
            throw layer.wrong(
                    "merge_mode concat in the layer before", said.merge().toString());
        }
        if (pooling == Output.MEAN && masked && Boolean.TRUE.equals(said.goBackwards())) {
            throw layer.wrong("go_backwards false under mask_zero, for Keras does not turn the mask round", "true");
        }
        if (pooling == Output.MAX) {
            builder.note(layer.place() + ": Keras takes the largest of padded steps too, elman of live ones only.");
        }
        said = said.withOutput(pooling);
    }

    /** elman pools each direction and then merges; Keras merges the steps and then pools. */
    static boolean poolsAlike(Output pooling, Merge merge) {
        return switch (pooling) {
            case SEQUENCE, LAST -> true;
            case MAX -> merge == null || merge == Merge.CONCAT;
            case MEAN -> merge != Merge.MUL;
        };
    }

    private void dense(KerasLayer layer) throws ModelFileException {
        if (hidden == 0) throw layer.wrong("a SimpleRNN before it", "none");
        requireArrays(layer, 1, 2);
        String kernel = layer.arrays().get(0);
        int[] matrix = builder.matrix(kernel);
        settle(matrix[0]);
        int units = matrix[1];
        layer.requireSize("units", units);
        String bias = layer.arrays().size() > 1 ? layer.arrays().get(1) : null;
        String name = layer.word("activation");
        if ("sigmoid".equals(name) && units == 1) {
            sigmoid(layer, kernel, bias);
            return;
        }
        if (name != null && !name.equals("linear") && !name.equals("softmax")) {
            throw layer.wrong("activation linear or softmax, or sigmoid of 1 unit", name);
        }
        softmaxed = "softmax".equals(name);
        classes = units;
        builder.copy(Network.DENSE_W, kernel, settled.outputSize(), units);
        if (bias == null) builder.zeros(Network.DENSE_B, units);
        else builder.copy(Network.DENSE_B, bias, units);
    }

    /** sigmoid(z) is the second of softmax(0, z), so one unit becomes two classes. */
    private void sigmoid(KerasLayer layer, String kernel, String bias) throws ModelFileException {
        softmaxed = true;
        classes = 2;
        float[] w = builder.take(Network.DENSE_W, kernel, How.SECOND_OF_TWO_CLASSES, settled.outputSize(), 1);
        float[] both = new float[2 * w.length];
        for (int c = 0; c < w.length; c++) both[2 * c + 1] = w[c];
        builder.put(Network.DENSE_W, both, w.length, 2);
        float b = bias == null ? 0 : builder.take(Network.DENSE_B, bias, How.SECOND_OF_TWO_CLASSES, 1)[0];
        builder.put(Network.DENSE_B, new float[] {0, b}, 2);
        builder.note(layer.place() + ": a sigmoid of one unit became two classes: sigmoid(z) = softmax(0, z).");
    }

    /** A model's probabilities are softmax of its dense layer, once. */
    private void softmax(KerasLayer layer, String name) throws ModelFileException {
        if (name == null || name.equals("linear")) return;
        if (!name.equals("softmax")) throw layer.wrong("activation softmax", name);
        if (classes == 0) throw layer.wrong("a Dense before it", "none");
        if (softmaxed) throw layer.wrong("one softmax", "a second");
    }

    private static void requireArrays(KerasLayer layer, int least, int most) throws ModelFileException {
        int found = layer.arrays().size();
        if (found < least || found > most) {
            throw layer.wrong(least == most ? least + " array" : least + " to " + most + " arrays", "" + found);
        }
    }
}
