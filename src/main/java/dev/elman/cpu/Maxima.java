package dev.elman.cpu;

import java.util.Arrays;

/**
 * The largest of each element over the steps of a row, and its step, for some columns. Floats are compared as integers of the same
 * order, because C2 vectorises that and no choice between floats; and always as many columns, see {@link Tanh}.
 */
final class Maxima {
    /** Columns, whether they are needed or not. */
    static final int WIDTH = 128;

    private static final int INFINITY = 0x7F800000;

    private final int[] keys = new int[WIDTH];
    private final int[] bits = new int[WIDTH];
    private final int[] steps = new int[WIDTH];

    /** Of nothing yet: 0, and -1 for a step. */
    Maxima() {
        Arrays.fill(keys, Integer.MIN_VALUE); // below that of any float
        Arrays.fill(steps, -1);
    }

    /**
     * Of equal ones the first stays, and no number is above the first NaN: it must not vanish.
     *
     * @param row [WIDTH], bits of floats
     */
    void take(int[] row, int step) {
        for (int c = 0; c < WIDTH; c++) {
            int candidate = row[c];
            int sign = candidate >> 31;
            int magnitude = candidate & Integer.MAX_VALUE;
            int noNumber = (INFINITY - magnitude) >> 31; // all ones for NaN, else 0
            int key = choose(noNumber, Integer.MAX_VALUE, (magnitude ^ sign) - sign); // both zeros have 0
            int best = keys[c];
            // Where signs differ a difference may overflow, and the sign of the best one says it.
            int wins = choose(best ^ key, best, best - key) >> 31;
            keys[c] = choose(wins, key, best);
            bits[c] = choose(wins, candidate, bits[c]);
            steps[c] = choose(wins, step, steps[c]);
        }
    }

    /** The bits of {@code ones} where the mask has ones, and of {@code zeros} where it has zeros. */
    private static int choose(int mask, int ones, int zeros) {
        return zeros ^ ((zeros ^ ones) & mask);
    }

    /** [WIDTH], bits of floats. */
    int[] bits() {
        return bits;
    }

    /** [WIDTH]. */
    int[] steps() {
        return steps;
    }
}
