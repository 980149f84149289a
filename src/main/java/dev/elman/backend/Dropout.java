package dev.elman.backend;

/**
 * Which elements a dropout keeps, by counting and not by drawing, so that every backend, and every worker that holds only
 * some of the rows, keeps the same ones. Kept elements are multiplied by 1 / (1 - rate); the others become 0, whatever they were, but
 * in a recurrence see {@link Backend#simpleRnnForward}.
 *
 * <p>The decision for element (t, n, c) is word c mod 4 of Philox4x32-10 (Salmon et al., SC 2011) with the key
 * {@code seed} (low word first) and the counter (c / 4, t, firstRow + n, 0): kept when that word, unsigned, is at
 * least {@link #threshold}. A variational one counts with t = 0 at every step.
 *
 * @param rate share of the elements that become 0, at least 0 and below 1
 * @param seed another one for each layer and each call
 * @param firstRow number that row n = 0 has in the whole batch
 * @param variational whether a row drops the same channels at all of its steps (Gal and Ghahramani 2016), as Keras's
 *     recurrent layers do; each step draws anew otherwise, as PyTorch does
 */
public record Dropout(double rate, long seed, int firstRow, boolean variational) {
    /** Throws {@link IllegalArgumentException} unless 0 &lt;= rate &lt; 1. */
    public Dropout {
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException("dropout: rate must be at least 0 and below 1, but is " + rate + ".");
        }
    }

    /** A dropout that draws anew at each step. */
    public Dropout(double rate, long seed, int firstRow) {
        this(rate, seed, firstRow, false);
    }

    /** rate * 2^32, rounded down, as an unsigned word. */
    public int threshold() {
        return (int) (long) (rate * 0x1p32);
    }

    /** What kept elements are multiplied by. */
    public double scale() {
        return 1 / (1 - rate);
    }
}
