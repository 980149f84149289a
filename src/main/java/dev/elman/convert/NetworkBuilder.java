package dev.elman.convert;

import dev.elman.backend.Activation;
import dev.elman.convert.Report.How;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes a network from the arrays of a file. Each array is taken once and checked for its type, shape and numbers; one
 * that nobody takes is an error, since a network without it would answer something else.
 */
final class NetworkBuilder {
    private final Path file;
    /** The layer whose settings are being settled, those that no array shows. */
    private String settling;

    private final String format;
    private final Map<String, NdArray> arrays;
    private final Set<String> left;
    private final Map<String, NdArray> weights = new LinkedHashMap<>();
    private final List<Report.Row> rows = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final List<String> unsaid = new ArrayList<>();

    /**
     * A builder over a file's arrays.
     *
     * @param file for messages
     * @param format as people call it
     */
    NetworkBuilder(Path file, String format, Map<String, NdArray> arrays) {
        this.file = file;
        this.format = format;
        this.arrays = arrays;
        this.left = new LinkedHashSet<>(arrays.keySet());
    }

    /** The names of the arrays that nobody has taken. */
    List<String> left() {
        return List.copyOf(left);
    }

    /** Whether the file has an array of this name. */
    boolean has(String array) {
        return arrays.containsKey(array);
    }

    /** The two extents of a matrix, both at least 1. */
    int[] matrix(String array) throws ModelFileException {
        long[] shape = require(array, "a matrix").shape();
        if (shape.length != 2 || shape[0] < 1 || shape[1] < 1 || shape[0] * shape[1] > Integer.MAX_VALUE) {
            throw wrong(array, "a matrix that is not empty", Arrays.toString(shape));
        }
        return new int[] {(int) shape[0], (int) shape[1]};
    }

    /** An array becomes a weight as it is. */
    void copy(String weight, String array, long... shape) throws ModelFileException {
        put(weight, take(weight, array, How.COPIED, shape), shape);
    }

    /** A matrix [rows, columns] of the file becomes a weight [columns, rows]. */
    void transpose(String weight, String array, int rows, int columns) throws ModelFileException {
        float[] values = take(weight, array, How.TRANSPOSED, rows, columns);
        weights.put(weight, Network.transposed(NdArray.ofFloats(values, rows, columns)));
    }

    /** The sum of two vectors becomes a weight. */
    void add(String weight, String first, String second, int size) throws ModelFileException {
        float[] sum = take(weight, first, How.ADDED, size);
        float[] other = take(weight, second, How.ADDED, size);
        for (int i = 0; i < size; i++) sum[i] += other[i];
        put(weight, sum, size);
    }

    /** A weight that the file has no array for. */
    void zeros(String weight, int size) {
        put(weight, new float[size], size);
    }

    /** Sets a weight from numbers that were {@linkplain #take taken}. */
    void put(String weight, float[] values, long... shape) {
        weights.put(weight, NdArray.ofFloats(values, shape));
    }

    /** The numbers of an array, which count from now on as those of this weight. */
    float[] take(String weight, String array, How how, long... shape) throws ModelFileException {
        NdArray found = require(array, Report.text(shape));
        if (!found.dtype().isReal()) throw wrong(array, "F32, F64, F16 or BF16", found.toString());
        if (!found.hasShape(shape)) throw wrong(array, Report.text(shape), Report.text(found.shape()));
        float[] values = found.toFloats();
        for (float value : values) {
            if (!Float.isFinite(value)) throw wrong(array, "numbers that a float can hold", Float.toString(value));
        }
        left.remove(array);
        rows.add(Report.Row.of(weight, array, how, shape));
        return values;
    }

    /** Leaves an array out, because it is no weight. */
    void ignore(String array) {
        left.remove(array);
    }

    /** Says something that is worth knowing about the way in. */
    void note(String sentence) {
        notes.add(sentence);
    }

    /**
     * The layer with the settings that no array shows: those that the file says, which a hint may repeat but not contradict, else those of the
     * hints, else the usual, with a note.
     *
     * @param shape sizes, layers, directions and biases, which the arrays show
     * @param said what the file says
     * @param denseInputs rows of the dense layer's matrix [C,K], 0 where there is none
     * @param layer the recurrent layer, for messages
     */
    SimpleRnnConfig settle(SimpleRnnConfig shape, Hints said, Hints hints, int denseInputs, String layer)
            throws ModelFileException {
        settling = layer;
        Output usual = denseInputs > 0 ? Output.LAST : Output.SEQUENCE;
        SimpleRnnConfig config = shape.withActivation(
                        settle("activation", said.activation(), hints.activation(), Activation.TANH))
                .withOutput(settle("output", said.output(), hints.output(), usual))
                .withMerge(merge(shape, said, hints, denseInputs));
        List<String> silent = new ArrayList<>();
        if (!shape.bidirectional()) {
            config = config.withGoBackwards(settle("goBackwards", said.goBackwards(), hints.goBackwards(), silent));
        } else if (Boolean.TRUE.equals(hints.goBackwards())) {
            throw unfit("goBackwards", "one direction, since that was said", "two");
        }
        config = config.withZeroOutputForMask(
                        settle("zeroOutputForMask", said.zeroOutputForMask(), hints.zeroOutputForMask(), silent))
                .withStateful(settle("stateful", said.stateful(), hints.stateful(), silent));
        if (!silent.isEmpty()) {
            unsaid(String.join(", ", silent), false);
        }
        return config;
    }

    private Merge merge(SimpleRnnConfig shape, Hints said, Hints hints, int denseInputs) throws ModelFileException {
        if (!shape.bidirectional()) {
            if (hints.merge() == null) return Merge.CONCAT;
            throw unfit("merge", "two directions, since " + hints.merge() + " was said", "one");
        }
        boolean silent = said.merge() == null && hints.merge() == null;
        if (silent && denseInputs == shape.hiddenSize()) throw merged(denseInputs);
        return settle("merge", said.merge(), hints.merge(), Merge.CONCAT);
    }

    /** The error for a dense layer of as many inputs as one direction has, where nobody said how the two become one. */
    ModelFileException merged(int denseInputs) {
        return new ModelFileException(
                file,
                "dense layer",
                2 * denseInputs + " inputs, two directions side by side",
                denseInputs + ", the two merged into one",
                "Say how: sum, mul or ave (--merge, or Hints.withMerge)");
    }

    private <T> T settle(String what, T said, T hint, T usual) throws ModelFileException {
        if (said != null && hint != null && !said.equals(hint)) {
            throw unfit(what, hint + ", as was said", said.toString());
        }
        if (said != null) return said;
        if (hint != null) return hint;
        unsaid(what, usual);
        return usual;
    }

    private void unsaid(String what, Object taken) {
        unsaid.add("The file does not say its " + what + ": " + taken + " is taken.");
    }

    private boolean settle(String what, Boolean said, Boolean hint, List<String> silent) throws ModelFileException {
        if (said == null && hint == null) {
            silent.add(what);
            return false;
        }
        return settle(what, said, hint, false);
    }

    private ModelFileException unfit(String what, String expected, String found) {
        return new ModelFileException(
                file,
                settling + ", " + what,
                expected,
                found,
                "The file shows it: leave that out, or name a --like model of the same layers");
    }

    /**
     * The network, once every array is taken or ignored.
     *
     * @param layer the recurrent layer, for messages
     * @throws ModelFileException when one is left
     * @throws IllegalArgumentException when the weights are not those of such a network
     */
    Imported build(int vocabulary, SimpleRnnConfig rnn, int classes, String layer) throws ModelFileException {
        if (!left.isEmpty()) {
            throw new ModelFileException(
                    file,
                    "array " + ModelFileException.brief(left.iterator().next()),
                    "only an embedding, recurrent layers and a dense layer",
                    left.size() == 1 ? "this" : "this and " + (left.size() - 1) + " more",
                    "elman has no layer for it; save the others alone, or name the embedding and the dense layer");
        }
        Network network = new Network(vocabulary, rnn, classes, weights);
        return new Imported(network, new Report(format, rows, notes, unsaid), file, layer);
    }

    /** An error about one array. */
    ModelFileException wrong(String array, String expected, String found) {
        return new ModelFileException(
                file, "array " + ModelFileException.brief(array), expected, found, "Check what wrote the file");
    }

    /** A few names, for a message. */
    static String some(Collection<String> names) {
        List<String> first =
                names.stream().limit(6).map(ModelFileException::brief).toList();
        return first + (names.size() > first.size() ? " and " + (names.size() - first.size()) + " more" : "");
    }

    private NdArray require(String array, String expected) throws ModelFileException {
        NdArray found = arrays.get(array);
        if (found == null) throw wrong(array, expected, "no array of this name, but " + some(arrays.keySet()));
        if (!left.contains(array)) throw wrong(array, "one use of each array", "a second");
        return found;
    }
}
