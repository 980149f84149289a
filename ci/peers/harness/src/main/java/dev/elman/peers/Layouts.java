package dev.elman.peers;

/** Conversions between the layouts of peers. Row-major and flat throughout. */
final class Layouts {
    private Layouts() {}

    /** [a][b][c] as [b][a][c]: from batch-major to time-major and back. */
    static float[] swapLeading(float[] values, int a, int b, int c) {
        float[] swapped = new float[values.length];
        for (int i = 0; i < a; i++) {
            for (int j = 0; j < b; j++) System.arraycopy(values, (i * b + j) * c, swapped, (j * a + i) * c, c);
        }
        return swapped;
    }

    /** [rows][columns] as [columns][rows]. */
    static float[] transpose(float[] values, int rows, int columns) {
        float[] transposed = new float[values.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) transposed[j * rows + i] = values[i * columns + j];
        }
        return transposed;
    }
}
