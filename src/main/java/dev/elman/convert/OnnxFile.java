package dev.elman.convert;

import dev.elman.convert.Report.How;
import dev.elman.io.AtomicFile;
import dev.elman.io.NdArray;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Writes a network as an ONNX graph around the operator
 * <a href="https://onnx.ai/onnx/operators/onnx__RNN.html">RNN</a>, for serving elsewhere.
 *
 * <p>Inputs, batch first as Keras has it: {@code ids} [N,T] (int64) or {@code x} [N,T,D], and {@code lengths} [N] (int32), the
 * live steps of each row, which come first. Outputs: {@code logits} [N,K], or [N,T,K] where every step is returned; {@code y}
 * [N,C] or [N,T,C] where there is no dense layer. A stateful network, and a recurrent layer alone, also has {@code h0} in
 * and {@code hn} out, both [layers x directions,N,H].
 *
 * <p>At padded steps of {@code y} and below {@code logits} the operator gives 0, where elman repeats the last output.
 */
public final class OnnxFile {
    private static final int OLDEST = 14;
    private static final int NEWEST = 22;
    /** The opset that is written unless another is asked for: of 2022, which today's runtimes all read. */
    public static final int USUAL = 17;

    private OnnxFile() {}

    /** {@link #write(Network, Map, int, Path)} with opset 17 and no metadata. */
    public static Report write(Network network, Path file) throws IOException {
        return write(network, Map.of(), USUAL, file);
    }

    /**
     * Writes a network.
     *
     * @param metadata strings that go along, such as a tokenizer
     * @param opset version of ONNX's operators, 14 to 22
     * @throws IllegalArgumentException for another opset, or weights of more than 2 GiB
     * @throws dev.elman.io.ModelFileException if writing fails
     */
    public static Report write(Network network, Map<String, String> metadata, int opset, Path file) throws IOException {
        if (opset < OLDEST || opset > NEWEST) {
            throw new IllegalArgumentException("elman writes ONNX's opsets " + OLDEST + " to " + NEWEST
                    + ", but was asked for opset " + opset + ".");
        }
        requireFits(network);
        OnnxNetwork graph = new OnnxNetwork(network, opset);
        byte[] model = graph.build().toModel(opset, metadata);
        AtomicFile.replace(file, out -> out.write(model));
        return new Report("ONNX opset " + opset, rows(network), notes(network, metadata));
    }

    /** Protobuf has no larger messages; said before any of it is built. */
    private static void requireFits(Network network) {
        long bytes = 0;
        for (NdArray weight : network.weights().values()) bytes += (long) Float.BYTES * weight.size();
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("A .onnx holds at most 2 GiB, but the network's weights are " + bytes
                    + " bytes. Write a .safetensors or .npz.");
        }
    }

    private static List<Report.Row> rows(Network network) {
        List<Report.Row> rows = new ArrayList<>();
        network.weights().forEach((name, array) -> rows.add(row(name, array.shape())));
        return rows;
    }

    private static Report.Row row(String name, long... shape) {
        if (!name.startsWith(Network.RNN + ".")) return Report.Row.of(name, name, How.COPIED, shape);
        String layer = OnnxNetwork.layerOf(name);
        String direction = name.contains(".reverse.") ? "[1]" : "[0]";
        if (shape.length == 1) return Report.Row.of(name, layer + "B" + direction, How.HALF, 2 * shape[0]);
        String matrix = name.endsWith(".wx") ? "W" : "R";
        return Report.Row.of(name, layer + matrix + direction, How.TRANSPOSED, shape[1], shape[0]);
    }

    private static List<String> notes(Network network, Map<String, String> metadata) {
        SimpleRnnConfig rnn = network.rnn();
        List<String> notes = new ArrayList<>();
        if (rnn.output() == Output.SEQUENCE && !rnn.bidirectional() && !rnn.zeroOutputForMask()) {
            notes.add("At padded steps ONNX's RNN gives 0, where elman repeats the last output.");
        }
        if (!metadata.isEmpty()) {
            notes.add("As the graph's metadata go along: " + String.join(", ", new TreeSet<>(metadata.keySet())) + ".");
        }
        return notes;
    }
}
