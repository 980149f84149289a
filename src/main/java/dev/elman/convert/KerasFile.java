package dev.elman.convert;

import dev.elman.convert.Report.How;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.WholeFile;
import dev.elman.io.ZipArchive;
import dev.elman.io.hdf5.Hdf5;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Keras's files: {@code .keras} and {@code .weights.h5} of Keras 3, {@code .h5} of Keras 2 and 3. They are HDF5, so the
 * library {@code io.jhdf:jhdf} must be on the class path to read them.
 *
 * <p>Keras's weights have our orientation and order: kernel = Wx, recurrent_kernel = Wh, bias = b. Layout:
 * <a href="https://github.com/keras-team/keras/blob/master/keras/src/saving/saving_lib.py">saving_lib.py</a> and
 * <a href="https://github.com/keras-team/keras/blob/master/keras/src/legacy/saving/legacy_h5_format.py">legacy_h5_format.py</a>.
 */
public final class KerasFile {
    private static final String WEIGHTS = "model.weights.h5";
    private static final String CONFIG = "config.json";

    private KerasFile() {}

    /**
     * Reads a network. A {@code .keras}, and an {@code .h5} with a model in it, say activation and output themselves; a file
     * of weights does not, and the hints are taken.
     *
     * @throws ModelFileException if the file is no such file, holds what elman has no layer for, or jhdf is not there
     */
    public static Imported read(Path file, Hints hints) throws IOException {
        byte[] content = WholeFile.read(file);
        if (content.length > 1 && content[0] == 'P' && content[1] == 'K') return readArchive(file, hints);
        Hdf5 hdf = Hdf5.parse(file, "", content);
        KerasLayers layers = new KerasLayers(file, hdf);
        if (layers.isLegacy()) return network(file, "Keras .h5", layers.legacy(), hdf, hints);
        return network(file, "Keras .weights.h5", layers.keras3(null), hdf, hints);
    }

    private static Imported readArchive(Path file, Hints hints) throws IOException {
        Map<String, byte[]> members = ZipArchive.read(file, Set.of(CONFIG, WEIGHTS)::contains);
        for (String member : List.of(CONFIG, WEIGHTS)) {
            if (!members.containsKey(member)) {
                throw new ModelFileException(
                        file, "member " + member, "a .keras of Keras 3", "none", "Save the model with model.save");
            }
        }
        Hdf5 hdf = Hdf5.parse(file, "member " + WEIGHTS + ": ", members.get(WEIGHTS));
        String config = new String(members.get(CONFIG), StandardCharsets.UTF_8);
        return network(file, "Keras .keras", new KerasLayers(file, hdf).keras3(config), hdf, hints);
    }

    static Imported network(Path file, String format, List<KerasLayer> layers, Hdf5 hdf, Hints hints)
            throws IOException {
        return new KerasReader(layers, hints, new NetworkBuilder(file, format, hdf.arrays())).read();
    }

    /**
     * Writes the weights as {@code .weights.h5}, for {@code model.load_weights} of a Sequential model with the same layers.
     *
     * @throws ModelFileException if writing fails
     */
    public static Report write(Network network, Path file) throws IOException {
        Weights weights = new Weights(network);
        SimpleRnnConfig rnn = network.rnn();
        if (network.vocabulary() > 0) weights.put(Network.TABLE, "layers/embedding/vars/0");
        for (int layer = 0; layer < rnn.layers(); layer++) weights.layer(layer);
        if (network.classes() > 0) {
            weights.put(Network.DENSE_W, "layers/dense/vars/0");
            weights.put(Network.DENSE_B, "layers/dense/vars/1");
        }
        Hdf5.write(weights.arrays, weights.groups, file);
        List<String> notes = new ArrayList<>();
        notes.add("In Python: load_weights of a Sequential model with these layers, " + settings(rnn) + ".");
        notes.add(Hints.of(rnn).lost());
        notes.addAll(differences(rnn));
        return new Report("Keras .weights.h5", weights.rows, notes);
    }

    /** What Keras makes otherwise of the same weights and settings. */
    static List<String> differences(SimpleRnnConfig rnn) {
        List<String> notes = new ArrayList<>();
        if (rnn.bidirectional() && !KerasReader.poolsAlike(rnn.output(), rnn.merge())) {
            notes.add(
                    "Keras merges the directions before it pools, elman after that: for elman's answers in Keras give the"
                            + " weights of the layer's forward_layer and backward_layer to two SimpleRNN (set_weights),"
                            + " pool each, and merge.");
        }
        if (rnn.output() == Output.MAX) {
            notes.add("Under a mask Keras takes the largest of padded steps too, elman of live ones only.");
        }
        // Two directions set it themselves.
        if (rnn.zeroOutputForMask() && rnn.output() == Output.LAST && !rnn.bidirectional()) {
            notes.add(
                    "Where the last step of a row is masked Keras returns 0 (zero_output_for_mask), elman its last live"
                            + " state.");
        }
        if (rnn.goBackwards() && (rnn.layers() > 1 || rnn.output() == Output.MEAN)) {
            notes.add("Keras turns the steps round, but not their mask: give it rows of one length.");
        }
        return notes;
    }

    /** The layer in Keras's words. */
    private static String settings(SimpleRnnConfig rnn) {
        // Below the top, layers return every step, both directions side by side.
        boolean stacked = rnn.layers() > 1;
        List<String> words = new ArrayList<>();
        words.add("activation '" + lower(rnn.activation()) + "'");
        if (!rnn.bias()) words.add("use_bias False");
        if (rnn.output() != Output.LAST) words.add("return_sequences True");
        else words.add("return_sequences False" + (stacked ? " in the highest layer, True below it" : ""));
        if (rnn.output() == Output.MAX) words.add("then GlobalMaxPooling1D");
        if (rnn.output() == Output.MEAN) words.add("then GlobalAveragePooling1D");
        if (rnn.bidirectional()) {
            boolean differs = stacked && rnn.merge() != Merge.CONCAT;
            String below = differs ? " in the highest layer, 'concat' below it" : "";
            words.add("merge_mode '" + lower(rnn.merge()) + "'" + below);
        }
        if (rnn.goBackwards()) words.add("go_backwards True" + (stacked ? " in the lowest layer" : ""));
        if (rnn.zeroOutputForMask()) words.add("zero_output_for_mask True");
        if (rnn.stateful()) words.add("stateful True");
        return String.join(", ", words);
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** What is to be written, and where it comes from. */
    private static final class Weights {
        private final Network network;
        private final Map<String, NdArray> arrays = new LinkedHashMap<>();
        private final List<Report.Row> rows = new ArrayList<>();
        /** Keras asks for a group vars of the model and of every layer, also where it is empty. */
        private final List<String> groups = new ArrayList<>(List.of("vars"));

        Weights(Network network) {
            this.network = network;
        }

        void layer(int layer) {
            boolean both = network.rnn().bidirectional();
            String path = "layers/" + (both ? "bidirectional" : "simple_rnn") + (layer == 0 ? "" : "_" + layer);
            groups.add(path + "/vars");
            if (!both) {
                cell(layer, 0, path);
                return;
            }
            for (int direction = 0; direction < 2; direction++) {
                String inner = path + (direction == 0 ? "/forward_layer" : "/backward_layer");
                groups.add(inner + "/vars");
                cell(layer, direction, inner);
            }
        }

        private void cell(int layer, int direction, String path) {
            put(Network.rnn(layer, direction, "wx"), path + "/cell/vars/0");
            put(Network.rnn(layer, direction, "wh"), path + "/cell/vars/1");
            if (!network.rnn().bias()) return;
            String b = Network.rnn(layer, direction, "b");
            String bias = path + "/cell/vars/2";
            put(b, bias);
            if (network.rnn().recurrentBias()) add(Network.rnn(layer, direction, "bh"), bias);
        }

        void put(String weight, String path) {
            NdArray array = network.weights().get(weight);
            arrays.put(path, array);
            rows.add(Report.Row.of(weight, path, How.COPIED, array.shape()));
        }

        /** Keras has one bias, the sum of ours. */
        private void add(String weight, String path) {
            float[] sum = arrays.get(path).floats();
            float[] second = network.weights().get(weight).floats();
            for (int i = 0; i < sum.length; i++) sum[i] += second[i];
            arrays.put(path, NdArray.ofFloats(sum, sum.length));
            rows.add(Report.Row.of(weight, path, How.ADDED, sum.length));
        }
    }
}
