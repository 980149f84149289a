package dev.elman.train;

import dev.elman.io.DType;
import dev.elman.io.NdArray;
import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.Objects;

/** Rows of input, each a sequence of any length, 0 too: token ids or feature vectors. */
public sealed interface SequenceInput {
    /** N, the number of rows. */
    int rows();

    /** Number of steps of one row. */
    int length(int row);

    /** Whether rows may be elsewhere until an epoch needs them, as {@link #tokens(int[][], int[])} takes them. */
    boolean partial();

    /**
     * Checks every row that is here against a model.
     *
     * @throws IllegalArgumentException naming row and step when a token is outside the vocabulary, a step has another
     *     number of features or one that is no finite number, or the model takes the other kind of input
     */
    void check(ClassifierConfig config);

    /** Rows of token ids. */
    static SequenceInput tokens(int[][] ids) {
        Objects.requireNonNull(ids, "ids");
        return new Tokens(ids, lengths(ids), false);
    }

    /** Rows of steps of D features, [N,T,D]; T may differ from row to row. */
    static SequenceInput features(float[][][] x) {
        Objects.requireNonNull(x, "x");
        return new Features(x, lengths(x), false);
    }

    /**
     * Rows of token ids of which some are elsewhere: those are null, and only their lengths are known. They may be put into
     * the array until they are used; see {@link Team#startEpoch}. A row that is here is given unpadded: its length is that of
     * its array.
     *
     * @throws IllegalArgumentException when there is not one length a row, one is negative, or a row that is here has another
     */
    static SequenceInput tokens(int[][] ids, int[] lengths) {
        return new Tokens(ids, requireLengths(ids, lengths), true);
    }

    /** Rows of features of which some are elsewhere, as {@link #tokens(int[][], int[])}. */
    static SequenceInput features(float[][][] x, int[] lengths) {
        return new Features(x, requireLengths(x, lengths), true);
    }

    private static int[] lengths(Object[] rows) {
        int[] lengths = new int[rows.length];
        for (int n = 0; n < rows.length; n++) {
            if (rows[n] == null) {
                throw new IllegalArgumentException("Row " + n + " is null. An empty row is an array of length 0.");
            }
            lengths[n] = Array.getLength(rows[n]);
        }
        return lengths;
    }

    private static int[] requireLengths(Object[] rows, int[] lengths) {
        if (rows.length != lengths.length) {
            throw new IllegalArgumentException("There must be one length a row, but there are " + lengths.length
                    + " lengths for " + rows.length + " rows.");
        }
        for (int n = 0; n < lengths.length; n++) {
            if (lengths[n] < 0) {
                throw new IllegalArgumentException(
                        "Lengths must be at least 0, but that of row " + n + " is " + lengths[n] + ".");
            }
            if (rows[n] != null && Array.getLength(rows[n]) != lengths[n]) {
                throw new IllegalArgumentException(
                        "The length of row " + n + " is said to be " + lengths[n] + ", but it has "
                                + Array.getLength(rows[n]) + " steps. Give rows unpadded, their lengths with them.");
            }
        }
        return lengths;
    }

    /**
     * Rows from a file: token ids [N,T] of I32 or I64, or features [N,T,D] of a floating-point type. All rows have T steps.
     *
     * @throws IllegalArgumentException for another type or rank, rows of nothing, or an id that no int holds
     */
    static SequenceInput of(NdArray array) {
        long[] shape = array.shape();
        boolean ids = array.dtype() == DType.I32 || array.dtype() == DType.I64;
        boolean features = array.dtype().isReal();
        if ((!ids || shape.length != 2) && (!features || shape.length != 3)) {
            throw new IllegalArgumentException(
                    "Rows are token ids [N,T] of I32 or I64, or features [N,T,D] of F32, F64,"
                            + " F16 or BF16, but the array is " + array + ".");
        }
        boolean empty = array.size() == 0;
        if (empty && shape[0] > 0) {
            throw new IllegalArgumentException("The rows of " + array + " hold nothing. Give them a step of a number.");
        }
        int rows = (int) shape[0];
        int steps = empty ? 0 : (int) shape[1];
        if (ids) return tokens(rows, steps, array);
        int size = empty ? 0 : (int) shape[2];
        float[] values = array.toFloats();
        float[][][] x = new float[rows][steps][];
        for (int n = 0; n < rows; n++) {
            for (int t = 0; t < steps; t++) {
                int at = (n * steps + t) * size;
                x[n][t] = Arrays.copyOfRange(values, at, at + size);
            }
        }
        return features(x);
    }

    private static SequenceInput tokens(int rows, int steps, NdArray array) {
        long[] values = array.dtype() == DType.I64
                ? array.longs()
                : Arrays.stream(array.ints()).asLongStream().toArray();
        int[][] ids = new int[rows][steps];
        for (int n = 0; n < rows; n++) {
            for (int t = 0; t < steps; t++) {
                long id = values[n * steps + t];
                if (id != (int) id) {
                    throw new IllegalArgumentException(
                            "Token ids are ints, but row " + n + ", step " + t + " has " + id + ".");
                }
                ids[n][t] = (int) id;
            }
        }
        return tokens(ids);
    }

    /** Throws {@link IllegalArgumentException} for an input without rows. */
    static void requireRows(String operation, SequenceInput input) {
        if (input.rows() == 0) {
            throw new IllegalArgumentException(operation + ": there are no rows. Give at least one.");
        }
    }

    /** Token ids, one array a row. */
    @SuppressWarnings("ArrayRecordComponent") // a view of the caller's arrays, never compared
    record Tokens(int[][] ids, int[] lengths, boolean partial) implements SequenceInput {
        @Override
        public int rows() {
            return ids.length;
        }

        @Override
        public int length(int row) {
            return lengths[row];
        }

        @Override
        public void check(ClassifierConfig config) {
            config.requireTokens();
            for (int n = 0; n < ids.length; n++) {
                if (ids[n] == null) continue; // checked when it comes
                for (int t = 0; t < ids[n].length; t++) {
                    if (ids[n][t] < 0 || ids[n][t] >= config.vocabulary()) {
                        throw new IllegalArgumentException("Token ids must be at least 0 and below V = "
                                + config.vocabulary() + ", but row " + n + ", step " + t + " has " + ids[n][t] + ".");
                    }
                }
            }
        }
    }

    /** Feature vectors, [T,D] a row. */
    @SuppressWarnings("ArrayRecordComponent") // a view of the caller's arrays, never compared
    record Features(float[][][] x, int[] lengths, boolean partial) implements SequenceInput {
        @Override
        public int rows() {
            return x.length;
        }

        @Override
        public int length(int row) {
            return lengths[row];
        }

        @Override
        public void check(ClassifierConfig config) {
            config.requireFeatures();
            for (int n = 0; n < x.length; n++) {
                if (x[n] == null) continue; // checked when it comes
                for (int t = 0; t < x[n].length; t++) checkStep(config, n, t);
            }
        }

        private void checkStep(ClassifierConfig config, int n, int t) {
            if (x[n][t] == null) {
                throw new IllegalArgumentException("Every step must have D = " + config.inputSize()
                        + " features, but row " + n + ", step " + t + " is null.");
            }
            if (x[n][t].length != config.inputSize()) {
                throw new IllegalArgumentException("Every step must have D = " + config.inputSize()
                        + " features, but row " + n + ", step " + t + " has " + x[n][t].length + ".");
            }
            for (int d = 0; d < x[n][t].length; d++) {
                if (!Float.isFinite(x[n][t][d])) {
                    throw new IllegalArgumentException("Input must be finite, but row " + n + ", step " + t
                            + ", feature " + d + " is " + x[n][t][d] + ". Clean the data.");
                }
            }
        }
    }
}
