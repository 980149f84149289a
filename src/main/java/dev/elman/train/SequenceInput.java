package dev.elman.train;

import java.util.Arrays;

/** Rows of input, each a sequence of any length, 0 too: token ids or feature vectors. */
public sealed interface SequenceInput {
    /** N, the number of rows. */
    int rows();

    /** Number of steps of one row. */
    int length(int row);

    /**
     * Checks every row against a model.
     *
     * @throws IllegalArgumentException naming row and step when a token is outside the vocabulary, a step has another
     *     number of features, or the model takes the other kind of input
     */
    void check(ClassifierConfig config);

    /** Rows of token ids. */
    static SequenceInput tokens(int[][] ids) {
        return new Tokens(ids);
    }

    /** Rows of steps of D features, [N,T,D]; T may differ from row to row. */
    static SequenceInput features(float[][][] x) {
        return new Features(x);
    }

    /** Throws {@link IllegalArgumentException} for an input without rows. */
    static void requireRows(String operation, SequenceInput input) {
        if (input.rows() == 0) {
            throw new IllegalArgumentException(operation + ": there are no rows. Give at least one.");
        }
    }

    /** Token ids, one array a row. */
    @SuppressWarnings("ArrayRecordComponent") // a view of the caller's arrays, compared by content below
    record Tokens(int[][] ids) implements SequenceInput {
        @Override
        public int rows() {
            return ids.length;
        }

        @Override
        public int length(int row) {
            return ids[row].length;
        }

        @Override
        public void check(ClassifierConfig config) {
            if (config.vocabulary() == 0) {
                throw new IllegalArgumentException(
                        "This model takes features, D = " + config.inputSize() + ", but was given token ids.");
            }
            for (int n = 0; n < ids.length; n++) {
                for (int t = 0; t < ids[n].length; t++) {
                    if (ids[n][t] < 0 || ids[n][t] >= config.vocabulary()) {
                        throw new IllegalArgumentException("Token ids must be at least 0 and below V = "
                                + config.vocabulary() + ", but row " + n + ", step " + t + " has " + ids[n][t] + ".");
                    }
                }
            }
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Tokens tokens && Arrays.deepEquals(ids, tokens.ids);
        }

        @Override
        public int hashCode() {
            return Arrays.deepHashCode(ids);
        }
    }

    /** Feature vectors, [T,D] a row. */
    @SuppressWarnings("ArrayRecordComponent") // a view of the caller's arrays, compared by content below
    record Features(float[][][] x) implements SequenceInput {
        @Override
        public int rows() {
            return x.length;
        }

        @Override
        public int length(int row) {
            return x[row].length;
        }

        @Override
        public void check(ClassifierConfig config) {
            if (config.vocabulary() > 0) {
                throw new IllegalArgumentException(
                        "This model takes token ids, V = " + config.vocabulary() + ", but was given features.");
            }
            for (int n = 0; n < x.length; n++) {
                for (int t = 0; t < x[n].length; t++) checkStep(config, n, t);
            }
        }

        private void checkStep(ClassifierConfig config, int n, int t) {
            if (x[n][t].length != config.inputSize()) {
                throw new IllegalArgumentException("Every step must have D = " + config.inputSize()
                        + " features, but row " + n + ", step " + t + " has " + x[n][t].length + ".");
            }
            if (!config.checkFinite()) return;
            for (int d = 0; d < x[n][t].length; d++) {
                if (!Float.isFinite(x[n][t][d])) {
                    throw new IllegalArgumentException("Input must be finite, but row " + n + ", step " + t
                            + ", feature " + d + " is " + x[n][t][d] + ". Clean the data.");
                }
            }
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Features features && Arrays.deepEquals(x, features.x);
        }

        @Override
        public int hashCode() {
            return Arrays.deepHashCode(x);
        }
    }
}
