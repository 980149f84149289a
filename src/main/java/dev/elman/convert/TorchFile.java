package dev.elman.convert;

import dev.elman.backend.Activation;
import dev.elman.convert.Report.How;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A PyTorch module's {@code state_dict} as safetensors: a {@code torch.nn.RNN}, perhaps with an {@code nn.Embedding} before
 * it and an {@code nn.Linear} after it.
 *
 * <p>PyTorch's matrices are the transposes of ours, and its two biases add up to b: Wx = weight_ih^T, Wh = weight_hh^T, b =
 * bias_ih + bias_hh (<a href="https://pytorch.org/docs/stable/generated/torch.nn.RNN.html">torch.nn.RNN</a>). A state_dict
 * holds neither activation nor output, nor what is given at masked steps; we write them as metadata, and read them where they
 * are.
 */
public final class TorchFile {
    static final String FORMAT = "PyTorch";
    static final String NONLINEARITY = "nonlinearity";
    static final String OUTPUT = "output";
    static final String ZERO_OUTPUT_FOR_MASK = "zero_output_for_mask";

    private TorchFile() {}

    /**
     * Reads a network. The names before {@code weight_ih_l0} may be anything; an embedding and a dense layer are found by
     * the usual names ({@code embedding}, {@code fc}, {@code linear}, ...) or by those that the hints give.
     *
     * @throws ModelFileException if the file is no such file, or holds what elman has no layer for
     */
    public static Imported read(Path file, Hints hints) throws IOException {
        refusePickle(file);
        return new TorchReader(file, SafeTensors.read(file), hints).read();
    }

    /**
     * Writes a network: {@code embedding.weight}, {@code rnn.weight_ih_l0}, ..., {@code fc.weight} and {@code fc.bias}; a
     * recurrent layer alone without the {@code rnn.}, so that {@code torch.nn.RNN.load_state_dict} takes it. Our b becomes
     * bias_ih, and bias_hh is our second bias, or 0.
     *
     * @throws ModelFileException if writing fails
     * @throws IllegalArgumentException if torch.nn.RNN cannot be such a layer
     */
    public static Report write(Network network, Path file) throws IOException {
        SimpleRnnConfig rnn = network.rnn();
        requireTorchs(rnn);
        StateDict state = new StateDict(network);
        String prefix = network.vocabulary() == 0 && network.classes() == 0 ? "" : "rnn.";
        if (network.vocabulary() > 0) state.put(Network.TABLE, "embedding.weight", false);
        for (int i = 0; i < rnn.layers() * rnn.directions(); i++) {
            direction(state, rnn, i / rnn.directions(), i % rnn.directions(), prefix);
        }
        if (network.classes() > 0) {
            state.put(Network.DENSE_W, "fc.weight", true);
            state.put(Network.DENSE_B, "fc.bias", false);
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("format", "pt");
        metadata.put(NONLINEARITY, lower(rnn.activation()));
        metadata.put(OUTPUT, lower(rnn.output()));
        metadata.put(ZERO_OUTPUT_FOR_MASK, String.valueOf(rnn.zeroOutputForMask()));
        new SafeTensors(state.tensors, metadata).write(file);
        return new Report(FORMAT, state.rows, notes(rnn));
    }

    private static List<String> notes(SimpleRnnConfig rnn) {
        List<String> notes = new ArrayList<>(List.of("In Python: " + constructor(rnn)));
        if (rnn.stateful()) {
            notes.add("nn.RNN keeps no states: give it the h_n of one call as the h_0 of the next.");
        }
        boolean repeats = rnn.output() == Output.SEQUENCE && !rnn.bidirectional() && !rnn.zeroOutputForMask();
        if (repeats)
            notes.add("At padded steps of packed sequences nn.RNN gives 0, where elman repeats the last output.");
        return notes;
    }

    private static void requireTorchs(SimpleRnnConfig rnn) {
        String found = null;
        if (rnn.activation() == Activation.LINEAR) found = "activation LINEAR";
        if (rnn.goBackwards()) found = "goBackwards";
        if (rnn.bidirectional() && rnn.merge() != Merge.CONCAT) found = "merge " + rnn.merge();
        if (found == null) return;
        throw new IllegalArgumentException(
                "torch.nn.RNN has tanh and relu, reads forward or both ways and puts the two side"
                        + " by side, but the network's layer " + Network.RNN + " has " + found + ". ONNX has it.");
    }

    private static void direction(StateDict state, SimpleRnnConfig rnn, int layer, int direction, String prefix) {
        String suffix = suffix(layer, direction);
        state.put(Network.rnn(layer, direction, "wx"), prefix + "weight_ih" + suffix, true);
        state.put(Network.rnn(layer, direction, "wh"), prefix + "weight_hh" + suffix, true);
        if (!rnn.bias()) return;
        String b = Network.rnn(layer, direction, "b");
        state.put(b, prefix + "bias_ih" + suffix, false);
        String second = prefix + "bias_hh" + suffix;
        if (rnn.recurrentBias()) state.put(Network.rnn(layer, direction, "bh"), second, false);
        else state.zeros(b, second);
    }

    /** As in _l0 and _l1_reverse. */
    static String suffix(int layer, int direction) {
        return "_l" + layer + (direction == 0 ? "" : "_reverse");
    }

    private static String constructor(SimpleRnnConfig rnn) {
        String layers = rnn.layers() == 1 ? "" : ", num_layers=" + rnn.layers();
        return "torch.nn.RNN(" + rnn.inputSize() + ", " + rnn.hiddenSize() + layers + ", nonlinearity='"
                + lower(rnn.activation()) + "'" + (rnn.bias() ? "" : ", bias=False")
                + (rnn.bidirectional() ? ", bidirectional=True" : "") + ")";
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** The arrays that are to be written, and where they come from. */
    private static final class StateDict {
        private final Network network;
        private final Map<String, NdArray> tensors = new LinkedHashMap<>();
        private final List<Report.Row> rows = new ArrayList<>();

        StateDict(Network network) {
            this.network = network;
        }

        void put(String weight, String name, boolean transpose) {
            NdArray array = network.weights().get(weight);
            if (transpose) put(weight, name, Network.transposed(array), How.TRANSPOSED);
            else put(weight, name, array, How.COPIED);
        }

        void zeros(String weight, String name) {
            int size = network.weights().get(weight).size();
            put(weight, name, NdArray.ofFloats(new float[size], size), How.ZEROS);
        }

        private void put(String weight, String name, NdArray array, How how) {
            tensors.put(name, array);
            rows.add(Report.Row.of(weight, name, how, array.shape()));
        }
    }

    /**
     * Looks at how a file begins, whatever its name. Such bytes may also be a header's length, but a brace follows that.
     *
     * @throws ModelFileException for a pickle, or the zip that torch.save puts it in; names the way out
     */
    public static void refusePickle(Path file) throws IOException {
        if (!Files.isRegularFile(file)) return; // the reader says so
        byte[] first;
        try (InputStream in = Files.newInputStream(file)) {
            first = in.readNBytes(9);
        }
        if (first.length < 4 || (first.length == 9 && first[8] == '{')) return;
        boolean zip = first[0] == 'P' && first[1] == 'K' && first[2] == 3 && first[3] == 4;
        boolean pickle = first[0] == (byte) 0x80 && first[1] >= 2 && first[1] <= 5;
        if (zip || pickle) throw pickled(file);
    }

    /** The error for a file of torch.save: what it is, and the way out, which writes a shared tensor under each of its names. */
    private static ModelFileException pickled(Path file) {
        String name = String.valueOf(file.getFileName());
        String quoted = name.replace("\\", "\\\\").replace("'", "\\'");
        String safe = quoted.replaceFirst("\\.[A-Za-z]+$", "") + ".safetensors";
        return new ModelFileException(
                file,
                "file",
                "safetensors",
                "a pickle of torch.save, which can run any code when it is read",
                "In Python: import torch; from safetensors.torch import save_file; save_file({k: v.clone().contiguous() for k, v"
                        + " in torch.load('" + quoted + "', map_location='cpu', weights_only=True).items()}, '" + safe
                        + "')");
    }
}
