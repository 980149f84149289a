package dev.elman.convert.keras;

import dev.elman.backend.Activation;
import dev.elman.convert.Hints;
import dev.elman.convert.Imported;
import dev.elman.convert.NetworkBuilder;
import dev.elman.io.ModelFileException;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.List;
import java.util.Locale;

/** Makes a network of a file's layers, one after another. */
final class KerasReader {
    private final List<KerasLayer> layers;
    private final Hints hints;
    private final NetworkBuilder builder;

    private KerasLayer before;
    private int vocabulary;
    private int inputs;
    private int hidden;
    private int channels;
    private boolean bias;
    private boolean bidirectional;
    private boolean stateful;
    private Activation activation;
    private Output output;
    private int classes;

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
            case "SimpleRNN", "Bidirectional" -> 3;
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
                case "SimpleRNN" -> recurrent(layer, layer, null);
                case "Bidirectional" -> bidirectional(layer);
                case "GlobalMaxPooling1D" -> pool(layer, Output.MAX);
                case "GlobalAveragePooling1D" -> pool(layer, Output.MEAN);
                case "Dense" -> dense(layer);
                case "Activation" -> requireSoftmax(layer);
                default -> {} // nothing to read
            }
        }
        if (hidden == 0) {
            KerasLayer last = layers.isEmpty() ? null : layers.get(layers.size() - 1);
            throw builder.wrong(last == null ? "layers" : last.name(), "a SimpleRNN before the end", "none");
        }
        Output usual = classes > 0 ? Output.LAST : Output.SEQUENCE;
        SimpleRnnConfig config = new SimpleRnnConfig(
                inputs,
                hidden,
                builder.activation(activation, hints),
                bias,
                bidirectional,
                builder.output(output, hints, usual),
                stateful);
        for (String array : builder.left()) {
            boolean state = array.startsWith("optimizer") || array.contains("seed_generator/");
            if (state) builder.ignore(array);
        }
        return builder.build(vocabulary, config, classes);
    }

    private void requireOrder(KerasLayer layer) throws ModelFileException {
        int stage = stage(layer.type());
        if (stage < 0) throw layer.wrong("a layer that elman has", layer.type());
        if (stage == 0) return;
        int least = before == null ? 0 : stage(before.type());
        if (stage <= least) throw layer.wrong("none of its kind after " + before.place(), "one");
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
        builder.copy("embedding.table", table, vocabulary, inputs);
    }

    private void bidirectional(KerasLayer layer) throws ModelFileException {
        String merge = layer.word("merge_mode");
        if (!layer.config().entrySet().isEmpty() && !"concat".equals(merge)) {
            throw layer.wrong("merge_mode concat", String.valueOf(merge));
        }
        KerasLayer forward = layer.inner("layer");
        KerasLayer backward = layer.config().has("backward_layer") ? layer.inner("backward_layer") : null;
        if (!forward.type().equals("SimpleRNN")) throw layer.wrong("a SimpleRNN inside", forward.type());
        bidirectional = true;
        recurrent(layer, forward, backward);
    }

    private void recurrent(KerasLayer layer, KerasLayer forward, KerasLayer backward) throws ModelFileException {
        settings(forward);
        if (backward != null && !sameCell(forward, backward)) {
            throw layer.wrong("two directions of one kind", "a backward_layer of another");
        }
        int directions = bidirectional ? 2 : 1;
        requireArrays(layer, 2 * directions, 3 * directions);
        int each = layer.arrays().size() / directions;
        if (each * directions != layer.arrays().size()) {
            throw layer.wrong(
                    "as many arrays forward as backward", layer.arrays().toString());
        }
        bias = each == 3;
        int[] kernel = builder.matrix(layer.arrays().get(0));
        if (vocabulary > 0 && inputs != kernel[0]) {
            throw layer.wrong(
                    "a kernel for " + inputs + " inputs, as the embedding has outputs", "one for " + kernel[0]);
        }
        inputs = kernel[0];
        hidden = kernel[1];
        channels = directions * hidden;
        forward.requireSize("units", hidden);
        if (forward.config().has("use_bias") && forward.flag("use_bias") != bias) {
            throw layer.wrong("use_bias " + bias + ", as its arrays have it", "use_bias " + !bias);
        }
        for (int direction = 0; direction < directions; direction++) {
            cell(layer, layer.arrays().subList(direction * each, (direction + 1) * each), direction);
        }
    }

    private void settings(KerasLayer cell) throws ModelFileException {
        cell.requireOff("go_backwards");
        cell.requireOff("return_state");
        if (cell.config().entrySet().isEmpty()) return;
        stateful = cell.flag("stateful");
        output = cell.flag("return_sequences") ? Output.SEQUENCE : Output.LAST;
        String name = cell.word("activation");
        activation = switch (name == null ? "linear" : name) {
            case "tanh" -> Activation.TANH;
            case "relu" -> Activation.RELU;
            case "linear" -> Activation.LINEAR;
            default -> throw cell.wrong("activation tanh, relu or linear", name);
        };
    }

    private static boolean sameCell(KerasLayer one, KerasLayer other) throws ModelFileException {
        return other.type().equals(one.type())
                && String.valueOf(other.word("activation")).equals(String.valueOf(one.word("activation")))
                && other.flag("go_backwards")
                && other.flag("return_sequences") == one.flag("return_sequences")
                && other.flag("use_bias") == one.flag("use_bias");
    }

    private void cell(KerasLayer layer, List<String> arrays, int direction) throws ModelFileException {
        String prefix = direction == 0 ? "rnn.forward." : "rnn.reverse.";
        List<String> names = List.of("kernel", "recurrent_kernel", "bias");
        for (int i = 0; i < arrays.size(); i++) requireName(layer, arrays.get(i), names.get(i), direction);
        builder.copy(prefix + "wx", arrays.get(0), inputs, hidden);
        builder.copy(prefix + "wh", arrays.get(1), hidden, hidden);
        if (bias) builder.copy(prefix + "b", arrays.get(2), hidden);
    }

    /** The older format names its arrays; Keras 3 numbers them. */
    private static void requireName(KerasLayer layer, String array, String expected, int direction)
            throws ModelFileException {
        String name = array.substring(array.lastIndexOf('/') + 1).replace(":0", "");
        if (name.length() < 3) return; // a number
        boolean otherWay = array.toLowerCase(Locale.ROOT).contains(direction == 0 ? "/backward_" : "/forward_");
        if (!name.equals(expected) || otherWay) {
            String which = layer.type().equals("Bidirectional") ? (direction == 0 ? "forward " : "backward ") : "";
            throw layer.wrong("its " + which + expected + " here", ModelFileException.brief(array));
        }
    }

    private void pool(KerasLayer layer, Output pooling) throws ModelFileException {
        if (output != null && output != Output.SEQUENCE) {
            throw layer.wrong("return_sequences true in the layer before", "false");
        }
        output = pooling;
    }

    private void dense(KerasLayer layer) throws ModelFileException {
        if (hidden == 0) throw layer.wrong("a SimpleRNN before it", "none");
        requireArrays(layer, 1, 2);
        String kernel = layer.arrays().get(0);
        int units = builder.matrix(kernel)[1];
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
        classes = units;
        builder.copy("dense.w", kernel, channels, units);
        if (bias == null) builder.zeros("dense.b", units);
        else builder.copy("dense.b", bias, units);
    }

    /** sigmoid(z) is the second of softmax(0, z), so one unit becomes two classes. */
    private void sigmoid(KerasLayer layer, String kernel, String bias) throws ModelFileException {
        classes = 2;
        float[] w = builder.take("dense.w", kernel, "second of two classes", channels, 1);
        float[] both = new float[2 * channels];
        for (int c = 0; c < channels; c++) both[2 * c + 1] = w[c];
        builder.put("dense.w", both, channels, 2);
        float b = bias == null ? 0 : builder.take("dense.b", bias, "second of two classes", 1)[0];
        builder.put("dense.b", new float[] {0, b}, 2);
        builder.note(layer.place() + ": a sigmoid of one unit became two classes: sigmoid(z) = softmax(0, z).");
    }

    private static void requireSoftmax(KerasLayer layer) throws ModelFileException {
        String name = layer.word("activation");
        if (!"softmax".equals(name) && !"linear".equals(name)) throw layer.wrong("activation softmax", name);
    }

    private static void requireArrays(KerasLayer layer, int least, int most) throws ModelFileException {
        int found = layer.arrays().size();
        if (found < least || found > most) {
            throw layer.wrong(least == most ? least + " array" : least + " to " + most + " arrays", "" + found);
        }
    }
}
