package dev.elman.convert.onnx;

import dev.elman.convert.Network;
import dev.elman.io.NdArray;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.Collections;
import java.util.List;

/** The graph of one network: input, time first; the operator RNN; what elman makes of the states; the dense layer. */
final class RnnGraph {
    private static final String LENGTHS = "lengths";
    private static final String STATES = "states";
    private static final String FINAL_STATES = "final_states";

    private final Network network;
    private final SimpleRnnConfig rnn;
    private final int opset;
    private final boolean state;
    private final Graph graph = new Graph();

    RnnGraph(Network network, int opset) {
        this.network = network;
        this.rnn = network.rnn();
        this.opset = opset;
        this.state = rnn.stateful() || network.classes() == 0;
    }

    Graph build() {
        String x = input();
        graph.input(LENGTHS, Graph.INT32, "N");
        String directions = Integer.toString(rnn.directions());
        String nodes = Integer.toString(rnn.hiddenSize());
        if (state) graph.input("h0", Graph.FLOAT, directions, "N", nodes);
        recurrence(x);
        if (state) {
            // A row without a live step keeps its state, which the operator does not promise.
            graph.node("Where", List.of(anyStep(), FINAL_STATES, "h0"), List.of("hn"));
            graph.output("hn", Graph.FLOAT, directions, "N", nodes);
        }
        String vector = switch (rnn.output()) {
            case SEQUENCE -> everyStep();
            case LAST -> last();
            case MAX -> max();
            case MEAN -> mean();
        };
        output(vector);
        return graph;
    }

    /** x [T,N,D]. */
    private String input() {
        if (network.vocabulary() == 0) {
            graph.input("x", Graph.FLOAT, "N", "T", Integer.toString(rnn.inputSize()));
            return graph.node("Transpose", List.of("x"), Graph.integers("perm", 1, 0, 2));
        }
        graph.input("ids", Graph.INT64, "N", "T");
        String timeFirst = graph.node("Transpose", List.of("ids"), Graph.integers("perm", 1, 0));
        return graph.node("Gather", List.of(weight("embedding.table"), timeFirst));
    }

    private void recurrence(String x) {
        int directions = rnn.directions();
        int hidden = rnn.hiddenSize();
        String w = graph.constant("rnn.W", stacked("wx", rnn.inputSize()));
        String r = graph.constant("rnn.R", stacked("wh", hidden));
        String b = rnn.bias() ? graph.constant("rnn.B", biases()) : "";
        String activation = switch (rnn.activation()) {
            case TANH -> "Tanh";
            case RELU -> "Relu";
            case LINEAR -> "Affine"; // alpha x + beta
        };
        graph.node(
                "RNN",
                List.of(x, w, r, b, LENGTHS, state ? "h0" : ""),
                List.of(STATES, FINAL_STATES),
                Graph.integer("hidden_size", hidden),
                Graph.word("direction", directions == 2 ? "bidirectional" : "forward"),
                Graph.words("activations", Collections.nCopies(directions, activation)),
                Graph.reals("activation_alpha", directions, 1),
                Graph.reals("activation_beta", directions, 0));
    }

    /** ONNX's matrices are the transposes of ours, direction after direction. */
    private NdArray stacked(String name, int inputs) {
        int hidden = rnn.hiddenSize();
        float[] result = new float[rnn.directions() * hidden * inputs];
        for (int direction = 0; direction < rnn.directions(); direction++) {
            float[] values = values(direction, name);
            for (int h = 0; h < hidden; h++) {
                for (int i = 0; i < inputs; i++) {
                    result[(direction * hidden + h) * inputs + i] = values[i * hidden + h];
                }
            }
        }
        return NdArray.ofFloats(result, rnn.directions(), hidden, inputs);
    }

    /** ONNX has two biases, which it adds: ours and zeros. */
    private NdArray biases() {
        int hidden = rnn.hiddenSize();
        float[] result = new float[rnn.directions() * 2 * hidden];
        for (int direction = 0; direction < rnn.directions(); direction++) {
            System.arraycopy(values(direction, "b"), 0, result, direction * 2 * hidden, hidden);
        }
        return NdArray.ofFloats(result, rnn.directions(), 2L * hidden);
    }

    private float[] values(int direction, String name) {
        return network.weights()
                .get((direction == 0 ? "rnn.forward." : "rnn.reverse.") + name)
                .floats();
    }

    /** [N,T,C] of the states [T,directions,N,H]. */
    private String everyStep() {
        String rowFirst = graph.node("Transpose", List.of(STATES), Graph.integers("perm", 2, 0, 1, 3));
        return graph.node("Reshape", List.of(rowFirst, graph.vector(0, 0, rnn.outputSize())));
    }

    /** [N,C]; a row without a live step gives 0. */
    private String last() {
        String states = graph.node("Where", List.of(anyStep(), FINAL_STATES, graph.scalar(0f)));
        String rowFirst = graph.node("Transpose", List.of(states), Graph.integers("perm", 1, 0, 2));
        return graph.node("Reshape", List.of(rowFirst, graph.vector(0, rnn.outputSize())));
    }

    /** The largest of the live steps; a row without any gives 0. */
    private String max() {
        String live = graph.node("Where", List.of(mask(), everyStep(), graph.scalar(Float.NEGATIVE_INFINITY)));
        String largest = opset < 18
                ? graph.node("ReduceMax", List.of(live), Graph.integers("axes", 1), Graph.integer("keepdims", 0))
                : graph.node("ReduceMax", List.of(live, graph.vector(1)), Graph.integer("keepdims", 0));
        return graph.node("Where", List.of(anyStep(), largest, graph.scalar(0f)));
    }

    /** [N,1], true where a row has a live step: its length is not 0. */
    private String anyStep() {
        return graph.node("Cast", List.of(column(LENGTHS)), Graph.integer("to", Graph.BOOL));
    }

    /** The sum over the live steps by their number, which for a row without any is taken for 1. */
    private String mean() {
        String live = graph.node("Where", List.of(mask(), everyStep(), graph.scalar(0f)));
        String sum = graph.node("ReduceSum", List.of(live, graph.vector(1)), Graph.integer("keepdims", 0));
        String lengths = graph.node("Cast", List.of(column(LENGTHS)), Graph.integer("to", Graph.FLOAT));
        return graph.node("Div", List.of(sum, graph.node("Max", List.of(lengths, graph.scalar(1f)))));
    }

    /** [N,T,1], true at live steps. */
    private String mask() {
        String given = network.vocabulary() == 0 ? "x" : "ids";
        String count = graph.node("Gather", List.of(graph.node("Shape", List.of(given)), graph.scalar(1L)));
        String steps = graph.node("Range", List.of(graph.scalar(0L), count, graph.scalar(1L)));
        String lengths = graph.node("Cast", List.of(column(LENGTHS)), Graph.integer("to", Graph.INT64));
        String live = graph.node("Less", List.of(steps, lengths));
        return graph.node("Unsqueeze", List.of(live, graph.vector(2)));
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
            String product = graph.node("MatMul", List.of(vector, weight("dense.w")));
            graph.node("Add", List.of(product, weight("dense.b")), List.of(name));
        } else {
            graph.node("Identity", List.of(vector), List.of(name));
        }
        if (sequence) graph.output(name, Graph.FLOAT, "N", "T", last);
        else graph.output(name, Graph.FLOAT, "N", last);
    }

    private String weight(String name) {
        return graph.constant(name, network.weights().get(name));
    }
}
