package dev.elman.convert.keras;

import dev.elman.convert.Hints;
import dev.elman.convert.Imported;
import dev.elman.convert.Network;
import dev.elman.convert.NetworkBuilder;
import dev.elman.convert.Report;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.WholeFile;
import dev.elman.io.ZipArchive;
import dev.elman.io.hdf5.Hdf5;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
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
        Map<String, NdArray> arrays = new LinkedHashMap<>();
        List<Report.Row> rows = new ArrayList<>();
        List<String> groups = new ArrayList<>(List.of("vars"));
        network.weights().forEach((weight, array) -> {
            String path = path(network, weight);
            String shape = Arrays.toString(array.shape()).replace(" ", "");
            arrays.put(path, array);
            rows.add(new Report.Row(weight, path, shape, ""));
        });
        String rnn = "layers/" + group(network);
        groups.add(rnn + "/vars");
        if (network.rnn().bidirectional()) {
            groups.add(rnn + "/forward_layer/vars");
            groups.add(rnn + "/backward_layer/vars");
        }
        Hdf5.write(arrays, groups, file);
        String model = "In Python: load_weights of a Sequential model with these layers, activation "
                + network.rnn().activation() + " and output " + network.rnn().output() + ".";
        return new Report("Keras .weights.h5", rows, List.of(model));
    }

    private static String group(Network network) {
        return network.rnn().bidirectional() ? "bidirectional" : "simple_rnn";
    }

    private static String path(Network network, String weight) {
        String name = weight.substring(weight.lastIndexOf('.') + 1);
        if (weight.startsWith("embedding.")) return "layers/embedding/vars/0";
        if (weight.startsWith("dense.")) return "layers/dense/vars/" + (name.equals("w") ? 0 : 1);
        String layer = "layers/" + group(network) + "/";
        if (network.rnn().bidirectional()) {
            layer += weight.startsWith("rnn.forward.") ? "forward_layer/" : "backward_layer/";
        }
        return layer + "cell/vars/" + List.of("wx", "wh", "b").indexOf(name);
    }
}
