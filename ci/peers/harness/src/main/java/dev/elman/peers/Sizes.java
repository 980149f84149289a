package dev.elman.peers;

import java.util.Arrays;
import java.util.List;

/** What a problem measures: N rows, T steps, D input features, H hidden nodes. */
public record Sizes(int n, int t, int d, int h) {
    /** From a single short row to what fills the caches of two cores many times. */
    static final List<Sizes> USUAL = List.of(
            new Sizes(1, 128, 64, 64),
            new Sizes(1, 128, 256, 256),
            new Sizes(32, 64, 64, 128),
            new Sizes(32, 128, 128, 256),
            new Sizes(64, 128, 256, 512),
            new Sizes(128, 64, 512, 512),
            new Sizes(32, 128, 1024, 1024),
            new Sizes(256, 32, 256, 256));

    /**
     * Throws {@link IllegalArgumentException} where a size is not positive or a sequence does not fit into one Java
     * array.
     */
    public Sizes {
        if (Math.min(Math.min(n, t), Math.min(d, h)) < 1 || (double) n * t * Math.max(d, h) > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("A shape is NxTxDxH, each 1 or more and N T D and N T H below 2^31, but "
                    + List.of(n, t, d, h) + " was given.");
        }
    }

    /** The reverse of {@link #name}. */
    static Sizes parse(String text) {
        try {
            int[] numbers = Arrays.stream(text.split("x", -1))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            if (numbers.length == 4) return new Sizes(numbers[0], numbers[1], numbers[2], numbers[3]);
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new IllegalArgumentException("A shape is NxTxDxH, such as 32x64x64x128, but \"" + text + "\" was given.");
    }

    String name() {
        return n + "x" + t + "x" + d + "x" + h;
    }

    /** Multiplications and additions of the products of a forward pass; bias and tanh are not counted. */
    double forwardOperations() {
        return 2.0 * n * t * h * (d + h);
    }

    @Override
    public String toString() {
        return "(" + n + "," + t + "," + d + "," + h + ")";
    }
}
