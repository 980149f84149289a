package dev.elman.cpu;

import dev.elman.backend.Dropout;
import java.util.Arrays;

/** The factors m [N,H] of a recurrent dropout, the same at every step. */
final class RecurrentDropout {
    private final float[] factors;

    RecurrentDropout(Dropout dropout, int rows, int width) {
        this.factors = new float[rows * width];
        float[] row = new float[width];
        for (int n = 0; n < rows; n++) {
            Arrays.fill(row, 1);
            Rows.drop(dropout, 0, n, row, width);
            System.arraycopy(row, 0, factors, n * width, width);
        }
    }

    /** Multiplies the elements of [N,H] from {@code from} on; what is dropped is 0 whatever it was. */
    void apply(int from, float[] values, int count) {
        for (int i = 0; i < count; i++) {
            float factor = factors[from + i];
            values[i] = factor == 0 ? 0 : values[i] * factor;
        }
    }
}
