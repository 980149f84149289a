package dev.elman.convert;

import dev.elman.io.numpy.Npz;
import dev.elman.rnn.SimpleRnnConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A network as {@code .npz}: elman's own names, shapes and orientation, see {@link Network}. It holds nothing but weights. */
public final class NumpyFile {
    private static final String FORMAT = "NumPy";

    private NumpyFile() {}

    /**
     * Reads a network; the settings that no array shows, activation and all, are those of the hints.
     *
     * @throws dev.elman.io.ModelFileException if the file is no such file, or names or shapes are not those of a network
     */
    public static Imported read(Path file, Hints hints) throws IOException {
        NetworkBuilder builder = new NetworkBuilder(file, FORMAT, Npz.read(file));
        int[] wx = builder.matrix(Network.rnn(0, 0, "wx"));
        int inputs = wx[0];
        int hidden = wx[1];
        int directions = builder.has(Network.rnn(0, 1, "wx")) ? 2 : 1;
        boolean bias = builder.has(Network.rnn(0, 0, "b"));
        boolean recurrentBias = builder.has(Network.rnn(0, 0, "bh"));
        if (recurrentBias && !bias) {
            throw builder.wrong(
                    Network.rnn(0, 0, "b"), "a first bias, since there is a second, bh", "no array of this name");
        }
        int layers = 0;
        for (; builder.has(Network.rnn(layers, 0, "wx")); layers++) {
            for (int direction = 0; direction < directions; direction++) {
                copy(builder, Network.rnn(layers, direction, "wx"), layers == 0 ? inputs : directions * hidden, hidden);
                copy(builder, Network.rnn(layers, direction, "wh"), hidden, hidden);
                if (bias) copy(builder, Network.rnn(layers, direction, "b"), hidden);
                if (recurrentBias) copy(builder, Network.rnn(layers, direction, "bh"), hidden);
            }
        }
        int vocabulary = 0;
        if (builder.has(Network.TABLE)) {
            vocabulary = builder.matrix(Network.TABLE)[0];
            copy(builder, Network.TABLE, vocabulary, inputs);
        }
        int[] dense = builder.has(Network.DENSE_W) ? builder.matrix(Network.DENSE_W) : new int[2];
        SimpleRnnConfig shape = SimpleRnnConfig.of(inputs, hidden)
                .withLayers(layers)
                .withBias(bias)
                .withRecurrentBias(recurrentBias)
                .withBidirectional(directions == 2);
        SimpleRnnConfig config = builder.settle(shape, Hints.NONE, hints, dense[0], Network.RNN);
        int classes = dense[1];
        if (classes > 0) {
            copy(builder, Network.DENSE_W, config.outputSize(), classes);
            copy(builder, Network.DENSE_B, classes);
        }
        return builder.build(vocabulary, config, classes, "layer " + Network.RNN);
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
        return new Report(
                FORMAT, Report.rows(network), List.of(Hints.of(network.rnn()).lost()));
    }
}
