package dev.elman.convert;

import dev.elman.io.NdArray;
import dev.elman.io.numpy.Npz;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A network as {@code .npz}: elman's own names, shapes and orientation, see {@link Network}. It holds nothing but weights. */
public final class NumpyFile {
    private static final String FORMAT = "NumPy";

    private NumpyFile() {}

    /**
     * Reads a network; activation and output are those of the hints.
     *
     * @throws dev.elman.io.ModelFileException if the file is no such file, or names or shapes are not those of a network
     */
    public static Imported read(Path file, Hints hints) throws IOException {
        NetworkBuilder builder = new NetworkBuilder(file, FORMAT, Npz.read(file));
        int[] wx = builder.matrix(Network.rnn(0, "wx"));
        int inputs = wx[0];
        int hidden = wx[1];
        boolean bidirectional = builder.has(Network.rnn(1, "wx"));
        boolean bias = builder.has(Network.rnn(0, "b"));
        for (int direction = 0; direction < (bidirectional ? 2 : 1); direction++) {
            copy(builder, Network.rnn(direction, "wx"), inputs, hidden);
            copy(builder, Network.rnn(direction, "wh"), hidden, hidden);
            if (bias) copy(builder, Network.rnn(direction, "b"), hidden);
        }
        int vocabulary = 0;
        String table = Network.EMBEDDING + ".table";
        if (builder.has(table)) {
            vocabulary = builder.matrix(table)[0];
            copy(builder, table, vocabulary, inputs);
        }
        int classes = 0;
        String w = Network.DENSE + ".w";
        if (builder.has(w)) {
            classes = builder.matrix(w)[1];
            copy(builder, w, bidirectional ? 2 * hidden : hidden, classes);
            copy(builder, Network.DENSE + ".b", classes);
        }
        SimpleRnnConfig config = new SimpleRnnConfig(
                inputs,
                hidden,
                builder.activation(null, hints),
                bias,
                bidirectional,
                builder.output(null, hints, classes > 0 ? Output.LAST : Output.SEQUENCE),
                false);
        return builder.build(vocabulary, config, classes);
    }

    private static void copy(NetworkBuilder builder, String name, long... shape) throws IOException {
        builder.copy(name, name, shape);
    }

    /**
     * Writes a network's weights.
     *
     * @throws dev.elman.io.ModelFileException if writing fails
     */
    public static Report write(Network network, Path file) throws IOException {
        Npz.write(network.weights(), file);
        List<Report.Row> rows = new ArrayList<>();
        for (Map.Entry<String, NdArray> weight : network.weights().entrySet()) {
            String shape = NetworkBuilder.text(weight.getValue().shape());
            rows.add(new Report.Row(weight.getKey(), weight.getKey(), shape, ""));
        }
        String rest = "The file does not hold the activation, " + network.rnn().activation() + ", nor the output, "
                + network.rnn().output() + ".";
        return new Report(FORMAT, rows, List.of(rest));
    }
}
