package dev.elman.cpu;

import dev.elman.backend.Dropout;
import java.util.Arrays;

/**
 * A dropout over rows [T*N,width], in pieces that any threads decide on in any order. A piece is runs of elements that lie side by
 * side in a row, each at a multiple of what a counter decides on.
 */
final class Drop {
    /** Elements of a piece, what lies between its runs among them. */
    static final int PIECE = Philox.WORDS * Philox.COUNTERS;

    private final Dropout dropout;
    private final int n;
    private final int width;

    /** Counters of a row. */
    private final int ofRow;

    /** And of all. */
    private final int counters;

    /**
     * One over these rows.
     *
     * @param rows T*N
     * @param n N, rows of a step
     */
    Drop(Dropout dropout, int rows, int n, int width) {
        this.dropout = dropout;
        this.n = n;
        this.width = width;
        this.ofRow = (width + Philox.WORDS - 1) / Philox.WORDS;
        this.counters = rows * ofRow;
    }

    /** {@code count} elements, in [T*N,width] from {@code element} on, in their piece from {@code at} on. */
    interface Run {
        void run(int element, int at, int count);
    }

    int pieces() {
        return (counters + Philox.COUNTERS - 1) / Philox.COUNTERS;
    }

    /** Hands {@code body} the runs of a piece, from left to right. */
    void runs(int piece, Run body) {
        int begin = piece * Philox.COUNTERS;
        int end = Math.min(counters, begin + Philox.COUNTERS);
        int count;
        for (int counter = begin; counter < end; counter += count) {
            int inRow = counter % ofRow;
            count = Math.min(end - counter, ofRow - inRow);
            int from = inRow * Philox.WORDS;
            int elements = Math.min(count * Philox.WORDS, width - from);
            body.run(counter / ofRow * width + from, (counter - begin) * Philox.WORDS, elements);
        }
    }

    /**
     * Scales or drops the elements of a piece, as {@link Dropout} says.
     *
     * @param values [PIECE], its runs where {@link #runs} says; void between them
     * @param words see {@link Philox#words}; void afterwards
     */
    void apply(int piece, float[] values, long[][] words) {
        runs(piece, (element, at, count) -> {
            int row = element / width;
            int first = element % width / Philox.WORDS;
            int begin = at / Philox.WORDS;
            int end = (at + count + Philox.WORDS - 1) / Philox.WORDS;
            for (int i = begin; i < end; i++) words[0][i] = (long) first + i - begin;
            Arrays.fill(words[1], begin, end, dropout.variational() ? 0 : row / n);
            Arrays.fill(words[2], begin, end, (long) dropout.firstRow() + row % n);
            Arrays.fill(words[3], begin, end, 0);
        });
        Philox.words(dropout.seed(), words);
        float scale = (float) dropout.scale();
        long threshold = Integer.toUnsignedLong(dropout.threshold());
        for (int word = 0; word < Philox.WORDS; word++) {
            long[] decisions = words[word];
            for (int i = 0; i < Philox.COUNTERS; i++) {
                int at = i * Philox.WORDS + word;
                values[at] = kept((int) decisions[i], threshold, values[at] * scale);
            }
        }
    }

    /** The value, or 0 where the word is below the threshold: without a branch, which nobody could predict. */
    private static float kept(int word, long threshold, float value) {
        int dropped = (int) ((Integer.toUnsignedLong(word) - threshold) >> 63); // all ones, or 0
        return Float.intBitsToFloat(Float.floatToRawIntBits(value) & ~dropped);
    }
}
