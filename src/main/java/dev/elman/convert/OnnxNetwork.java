package dev.elman.convert;

import dev.elman.io.NdArray;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The graph of one network: input, time first; the operator RNN; what elman makes of the states; the dense layer. */
final class OnnxNetwork {
    private static final String LENGTHS = "lengths";
    /** Of a layer, whose number follows. */
    private static final String STATES = "states_";

    private final Network network;
    private final SimpleRnnConfig rnn;
    private final int opset;
    private final boolean state;
    private final OnnxGraph graph = new OnnxGraph();

    OnnxNetwork(Network network, int opset) {
        this.network = network;
        this.rnn = network.rnn();
        this.opset = opset;
        this.state = rnn.stateful() || network.classes() == 0;
    }

    OnnxGraph build() {
        String x = input();
        graph.input(LENGTHS, OnnxGraph.INT32, "N");
        String states = Integer.toString(rnn.layers() * rnn.directions());
        String nodes = Integer.toString(rnn.hiddenSize());
        if (state) graph.input("h0", OnnxGraph.FLOAT, states, "N", nodes);
        List<String> finalStates = new ArrayList<>();
        for (int layer = 0; layer < rnn.layers(); layer++) {
            if (layer > 0) x = sideBySide(STATES + (layer - 1));
            finalStates.add(recurrence(layer, x));
        }
        if (state) {
            String all = rnn.layers() == 1
                    ? finalStates.get(0)
                    : graph.node("Concat", finalStates, OnnxGraph.integer("axis", 0));
            // A row without a live step keeps its state, which the operator does not promise.
            graph.node("Where", List.of(anyStep(), all, "h0"), List.of("hn"));
            graph.output("hn", OnnxGraph.FLOAT, states, "N", nodes);
        }
        output(
                switch (rnn.output()) {
                    case SEQUENCE -> merged(everyStep(true), 2);
                    case LAST -> merged(last(finalStates.get(rnn.layers() - 1)), 1);
                    case MAX -> merged(max(), 1);
                    case MEAN -> merged(mean(), 1);
                });
        return graph;
    }

    /** x [T,N,D]. */
    private String input() {
        if (network.vocabulary() == 0) {
            graph.input("x", OnnxGraph.FLOAT, "N", "T", Integer.toString(rnn.inputSize()));
            return graph.node("Transpose", List.of("x"), OnnxGraph.integers("perm", 1, 0, 2));
        }
        graph.input("ids", OnnxGraph.INT64, "N", "T");
        String timeFirst = graph.node("Transpose", List.of("ids"), OnnxGraph.integers("perm", 1, 0));
        return graph.node("Gather", List.of(weight(Network.TABLE), timeFirst));
    }

    /** Runs a layer over x [T,N,D] and returns the name of its final states [directions,N,H]. */
    private String recurrence(int layer, String x) {
        int directions = rnn.directions();
        String name = layerOf(Network.rnn(layer, 0, "wx"));
        String w = graph.constant(name + "W", stacked(layer, "wx"));
        String r = graph.constant(name + "R", stacked(layer, "wh"));
        String b = rnn.bias() ? graph.constant(name + "B", biases(layer)) : "";
        String activation = switch (rnn.activation()) {
            case TANH -> "Tanh";
            case RELU -> "Relu";
            case LINEAR -> "Affine"; // alpha x + beta
        };
        String finalStates = "final_states_" + layer;
        graph.node(
                "RNN",
                List.of(x, w, r, b, LENGTHS, initialState(layer)),
                List.of(STATES + layer, finalStates),
                OnnxGraph.integer("hidden_size", rnn.hiddenSize()),
                OnnxGraph.word(
                        "direction", directions == 2 ? "bidirectional" : rnn.goBackwards() ? "reverse" : "forward"),
                OnnxGraph.words("activations", Collections.nCopies(directions, activation)),
                OnnxGraph.reals("activation_alpha", directions, 1),
                OnnxGraph.reals("activation_beta", directions, 0));
        return finalStates;
    }

    /** How the names of a layer's constants begin, both directions being in one, as in {@code rnn.l1.}. */
    static String layerOf(String weight) {
        return weight.replaceFirst("(forward|reverse)\\..*", "");
    }

    private String initialState(int layer) {
        if (!state) return "";
        if (rnn.layers() == 1) return "h0";
        int directions = rnn.directions();
        String from = graph.vector((long) layer * directions);
        String to = graph.vector((layer + 1L) * directions);
        return graph.node("Slice", List.of("h0", from, to, graph.vector(0)));
    }

    /** [T,N,directions*H] of a layer's states [T,directions,N,H], for the layer above. */
    private String sideBySide(String states) {
        String rowThenDirection = graph.node("Transpose", List.of(states), OnnxGraph.integers("perm", 0, 2, 1, 3));
        long width = (long) rnn.directions() * rnn.hiddenSize();
        return graph.node("Reshape", List.of(rowThenDirection, graph.vector(0, 0, width)));
    }

    /** ONNX's matrices are the transposes of ours, direction after direction: [directions,H,D]. */
    private NdArray stacked(int layer, String name) {
        int hidden = rnn.hiddenSize();
        int inputs = (int) weights(layer, 0, name).shape()[0];
        float[] result = new float[rnn.directions() * hidden * inputs];
        for (int direction = 0; direction < rnn.directions(); direction++) {
            float[] values = Network.transposed(weights(layer, direction, name)).floats();
            System.arraycopy(values, 0, result, direction * values.length, values.length);
        }
        return NdArray.ofFloats(result, rnn.directions(), hidden, inputs);
    }

    /** ONNX has two biases, which it adds: [directions,2H] of ours and our second, or zeros. */
    private NdArray biases(int layer) {
        int hidden = rnn.hiddenSize();
        float[] result = new float[rnn.directions() * 2 * hidden];
        for (int direction = 0; direction < rnn.directions(); direction++) {
            int at = direction * 2 * hidden;
            System.arraycopy(weights(layer, direction, "b").floats(), 0, result, at, hidden);
            if (rnn.recurrentBias()) {
                System.arraycopy(weights(layer, direction, "bh").floats(), 0, result, at + hidden, hidden);
            }
        }
        return NdArray.ofFloats(result, rnn.directions(), 2L * hidden);
    }

    private NdArray weights(int layer, int direction, String name) {
        return network.weights().get(Network.rnn(layer, direction, name));
    }

    /** [N,T,directions,H] of the top layer's states; where they are what is returned, in the order that elman returns. */
    private String everyStep(boolean returned) {
        String states = STATES + (rnn.layers() - 1);
        if (returned && rnn.goBackwards()) {
            String end = graph.vector(Long.MIN_VALUE);
            states = graph.node("Slice", List.of(states, graph.vector(-1), end, graph.vector(0), graph.vector(-1)));
        }
        return graph.node("Transpose", List.of(states), OnnxGraph.integers("perm", 2, 0, 1, 3));
    }

    /** Makes one of the directions along an axis, the last but one. */
    private String merged(String directions, int axis) {
        if (rnn.directions() == 1 || rnn.merge() == Merge.CONCAT) {
            String shape = axis == 1 ? graph.vector(0, rnn.outputSize()) : graph.vector(0, 0, rnn.outputSize());
            return graph.node("Reshape", List.of(directions, shape));
        }
        String forward = graph.node("Gather", List.of(directions, graph.scalar(0L)), OnnxGraph.integer("axis", axis));
        String reverse = graph.node("Gather", List.of(directions, graph.scalar(1L)), OnnxGraph.integer("axis", axis));
        if (rnn.merge() == Merge.MUL) return graph.node("Mul", List.of(forward, reverse));
        String sum = graph.node("Add", List.of(forward, reverse));
        return rnn.merge() == Merge.SUM ? sum : graph.node("Mul", List.of(sum, graph.scalar(0.5f)));
    }

    /** [N,directions,H] of the final states [directions,N,H]; a row without a live step gives 0. */
    private String last(String finalStates) {
        String states = graph.node("Where", List.of(anyStep(), finalStates, graph.scalar(0f)));
        return graph.node("Transpose", List.of(states), OnnxGraph.integers("perm", 1, 0, 2));
    }

    /** [N,directions,H], the largest of the live steps; a row without any gives 0. */
    private String max() {
        String live = graph.node("Where", List.of(mask(), everyStep(false), graph.scalar(Float.NEGATIVE_INFINITY)));
        String largest = opset < 18
                ? graph.node(
                        "ReduceMax", List.of(live), OnnxGraph.integers("axes", 1), OnnxGraph.integer("keepdims", 0))
                : graph.node("ReduceMax", List.of(live, graph.vector(1)), OnnxGraph.integer("keepdims", 0));
        String any = graph.node("Unsqueeze", List.of(anyStep(), graph.vector(2)));
        return graph.node("Where", List.of(any, largest, graph.scalar(0f)));
    }

    /** [N,directions,H], the sum over the live steps by their number, which for a row without any is taken for 1. */
    private String mean() {
        String live = graph.node("Where", List.of(mask(), everyStep(false), graph.scalar(0f)));
        String sum = graph.node("ReduceSum", List.of(live, graph.vector(1)), OnnxGraph.integer("keepdims", 0));
        String lengths = graph.node("Cast", List.of(LENGTHS), OnnxGraph.integer("to", OnnxGraph.FLOAT));
        String count = graph.node("Unsqueeze", List.of(lengths, graph.vector(1, 2)));
        return graph.node("Div", List.of(sum, graph.node("Max", List.of(count, graph.scalar(1f)))));
    }

    /** [N,1], true where a row has a live step: its length is not 0. */
    private String anyStep() {
        return graph.node("Cast", List.of(column(LENGTHS)), OnnxGraph.integer("to", OnnxGraph.BOOL));
    }

    /** [N,T,1,1], true at live steps. */
    private String mask() {
        String given = network.vocabulary() == 0 ? "x" : "ids";
        String count = graph.node("Gather", List.of(graph.node("Shape", List.of(given)), graph.scalar(1L)));
        String steps = graph.node("Range", List.of(graph.scalar(0L), count, graph.scalar(1L)));
        String lengths = graph.node("Cast", List.of(column(LENGTHS)), OnnxGraph.integer("to", OnnxGraph.INT64));
        String live = graph.node("Less", List.of(steps, lengths));
        return graph.node("Unsqueeze", List.of(live, graph.vector(2, 3)));
    }

    /** [N,1] of [N]. */
    private String column(String vector) {
        return graph.node("Unsqueeze", List.of(vector, graph.vector(1)));
    }

    private void output(String vector) {
        boolean sequence = rnn.output() == Output.SEQUENCE;
        String name = network.classes() > 0 ? "logits" : "y";
        String last = Integer.toString(network.classes() > 0 ? network.classes() : rnn.outputSize());
        if (network.classes() > 0) {
            String product = graph.node("MatMul", List.of(vector, weight(Network.DENSE_W)));
            graph.node("Add", List.of(product, weight(Network.DENSE_B)), List.of(name));
        } else {
            graph.node("Identity", List.of(vector), List.of(name));
        }
        if (sequence) graph.output(name, OnnxGraph.FLOAT, "N", "T", last);
        else graph.output(name, OnnxGraph.FLOAT, "N", last);
    }

    private String weight(String name) {
        return graph.constant(name, network.weights().get(name));
    }
}
