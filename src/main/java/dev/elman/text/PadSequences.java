package dev.elman.text;

import java.lang.reflect.Array;
import java.util.Arrays;

/**
 * Keras's {@code pad_sequences}: makes sequences equally long. Immutable; each setter returns a copy.
 *
 * <pre>{@code
 * int[][] ids = PadSequences.options().maxlen(20).padding(Side.POST).apply(sequences); // [N, T], T = 20
 * }</pre>
 *
 * <p>Keras's defaults, which are ours: T is the length of the longest sequence, zeros are put BEFORE a short sequence,
 * and a long one loses its BEGINNING (it keeps its last {@code maxlen} ids).
 */
public final class PadSequences {
    private static final PadSequences DEFAULTS = new PadSequences(null, Side.PRE, Side.PRE, 0);

    private final Integer maxlen;
    private final Side padding;
    private final Side truncating;
    private final double value;

    private PadSequences(Integer maxlen, Side padding, Side truncating, double value) {
        this.maxlen = maxlen;
        this.padding = padding;
        this.truncating = truncating;
        this.value = value;
    }

    /** The end of a sequence at which something is added or cut off. */
    public enum Side {
        /** At the beginning, Keras's {@code 'pre'}. */
        PRE,
        /** At the end, Keras's {@code 'post'}. */
        POST
    }

    /** {@link #apply(int[][])} with Keras's defaults. */
    public static int[][] padSequences(int[][] sequences) {
        return DEFAULTS.apply(sequences);
    }

    /** Keras's defaults, to be changed. */
    public static PadSequences options() {
        return DEFAULTS;
    }

    /** T of the result, instead of the longest sequence's length. */
    public PadSequences maxlen(int maxlen) {
        if (maxlen < 0) {
            throw new IllegalArgumentException("pad_sequences: expected maxlen of 0 or more, given " + maxlen);
        }
        return new PadSequences(maxlen, padding, truncating, value);
    }

    /** Where short sequences are filled up. */
    public PadSequences padding(Side padding) {
        return new PadSequences(maxlen, side(padding, "padding"), truncating, value);
    }

    /** Where long sequences are cut. */
    public PadSequences truncating(Side truncating) {
        return new PadSequences(maxlen, padding, side(truncating, "truncating"), value);
    }

    /** What short sequences are filled with; a whole number for ids. */
    public PadSequences value(double value) {
        return new PadSequences(maxlen, padding, truncating, value);
    }

    /**
     * Pads ids; the sequences are left as they are. An empty sequence becomes nothing but the value.
     *
     * @param sequences N rows of any length, 0 included
     * @return a new int[N][T]
     * @throws IllegalArgumentException if a row is null, there is neither a sequence nor maxlen, the value is no int,
     *     or maxlen is 0 with truncating PRE and a sequence that is not empty (there Keras fails too, but for one
     *     single id)
     */
    public int[][] apply(int[][] sequences) {
        int fill = (int) value;
        require(fill == value, "a whole number as value for ids", Double.toString(value));
        int[] lengths = fullLengths(sequences);
        int steps = steps(lengths);
        int[][] padded = new int[lengths.length][steps];
        for (int i = 0; i < lengths.length; i++) {
            Arrays.fill(padded[i], fill);
            int kept = Math.min(lengths[i], steps);
            System.arraycopy(sequences[i], from(lengths[i], kept), padded[i], to(steps, kept), kept);
        }
        return padded;
    }

    /**
     * Pads sequences of vectors; every element of a missing step is the value. The first sequence that is not empty
     * gives D.
     *
     * @param sequences N rows of T_i vectors of one size D
     * @return a new float[N][T][D], sharing no array with the input
     * @throws IllegalArgumentException as for ids, and if a vector is null or its size is not D (steps that truncation
     *     drops are checked too), or all sequences are empty while maxlen is not 0, for then D is unknown
     */
    public float[][][] apply(float[][][] sequences) {
        int[] lengths = fullLengths(sequences);
        int steps = steps(lengths);
        int d = vectorSize(sequences);
        require(
                d >= 0 || steps == 0 || lengths.length == 0,
                "a sequence that is not empty, to know D",
                "only empty ones");
        float[][][] padded = new float[lengths.length][steps][Math.max(d, 0)];
        for (int i = 0; i < lengths.length; i++) {
            for (float[] step : padded[i]) {
                Arrays.fill(step, (float) value);
            }
            int kept = Math.min(lengths[i], steps);
            for (int t = 0; t < kept; t++) {
                System.arraycopy(sequences[i][from(lengths[i], kept) + t], 0, padded[i][to(steps, kept) + t], 0, d);
            }
        }
        return padded;
    }

    /**
     * Which steps of {@link #apply(int[][])} are a sequence's own and not padding, at whichever end that is: the mask [N,T]
     * for {@code Sequences.withMask}. Unlike Keras's {@code mask_zero} it knows the value from an id of the same number.
     */
    public boolean[][] mask(int[][] sequences) {
        int[] lengths = fullLengths(sequences);
        int steps = steps(lengths);
        boolean[][] mask = new boolean[lengths.length][steps];
        for (int i = 0; i < lengths.length; i++) {
            int kept = Math.min(lengths[i], steps);
            Arrays.fill(mask[i], to(steps, kept), to(steps, kept) + kept, true);
        }
        return mask;
    }

    private int from(int length, int kept) {
        return truncating == Side.PRE ? length - kept : 0;
    }

    private int to(int steps, int kept) {
        return padding == Side.PRE ? steps - kept : 0;
    }

    private int steps(int[] lengths) {
        int longest = Arrays.stream(lengths).max().orElse(-1);
        if (maxlen == null) {
            require(longest >= 0, "at least one sequence, or maxlen", "neither");
            return longest;
        }
        require(
                maxlen > 0 || longest <= 0 || truncating == Side.POST,
                "maxlen of 1 or more where truncating is PRE",
                "maxlen = 0");
        return maxlen;
    }

    private static int[] fullLengths(Object[] sequences) {
        require(sequences != null, "sequences", "null");
        int[] lengths = new int[sequences.length];
        for (int i = 0; i < lengths.length; i++) {
            if (sequences[i] == null) {
                throw bad("sequences that are not null; an empty array is an empty one", "null at position " + i);
            }
            lengths[i] = Array.getLength(sequences[i]);
        }
        return lengths;
    }

    private static int vectorSize(float[][][] sequences) {
        int d = -1;
        for (int i = 0; i < sequences.length; i++) {
            for (float[] step : sequences[i]) {
                if (step == null || (d >= 0 && step.length != d)) {
                    String size = step == null ? "null" : Integer.toString(step.length);
                    throw bad(
                            "vectors of one size" + (d < 0 ? "" : ", D = " + d),
                            size + " in the sequence at position " + i);
                }
                d = step.length;
            }
        }
        return d;
    }

    private static Side side(Side side, String name) {
        require(side != null, name + " of PRE or POST", "null");
        return side;
    }

    private static void require(boolean holds, String expected, String given) {
        if (!holds) {
            throw bad(expected, given);
        }
    }

    private static IllegalArgumentException bad(String expected, String given) {
        return new IllegalArgumentException("pad_sequences: expected " + expected + ", given " + given);
    }
}
