package dev.elman.rnn;

import java.util.Random;

/** Random orthonormal vectors, one after another. */
final class Orthonormal {
    /** Below this a drawn vector lay too close to the span of those before it. */
    private static final double TOO_SHORT = 1e-3;

    private Orthonormal() {}

    /** Fills basis[i] with a unit vector orthogonal to basis[0..i-1]. */
    static void draw(double[][] basis, int i, Random random) {
        do {
            for (int k = 0; k < basis[i].length; k++) basis[i][k] = random.nextGaussian();
            normalize(basis[i]);
            // Twice is enough: what rounding leaves of the first projection, the second takes away.
            for (int pass = 0; pass < 2; pass++) {
                for (int j = 0; j < i; j++) subtract(basis[i], basis[j]);
            }
        } while (normalize(basis[i]) < TOO_SHORT);
    }

    private static void subtract(double[] vector, double[] unit) {
        double projection = 0;
        for (int k = 0; k < vector.length; k++) projection += vector[k] * unit[k];
        for (int k = 0; k < vector.length; k++) vector[k] -= projection * unit[k];
    }

    /** Scales to length 1 and returns the length before. */
    private static double normalize(double[] vector) {
        double squares = 0;
        for (double value : vector) squares += value * value;
        double length = Math.sqrt(squares);
        if (length > 0) {
            for (int k = 0; k < vector.length; k++) vector[k] /= length;
        }
        return length;
    }
}
