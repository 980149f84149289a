package dev.elman.cpu;

import java.util.Arrays;

/** Sums of columns over many rows: a handful of rows in float, these sums then in double. */
final class ColumnSums {
    private static final int ROWS_IN_FLOAT = 32;

    private final int columns;
    private final double[] totals;
    private final float[] part;

    ColumnSums(int columns) {
        this.columns = columns;
        this.totals = new double[columns];
        this.part = new float[columns];
    }

    /** Adds whole rows that lie one after the other. */
    void add(float[] rows, int count) {
        for (int from = 0; from < count; from += ROWS_IN_FLOAT) {
            Arrays.fill(part, 0);
            for (int row = from; row < Math.min(count, from + ROWS_IN_FLOAT); row++) {
                addRow(rows, row * columns);
            }
            for (int j = 0; j < columns; j++) totals[j] += part[j];
        }
    }

    private void addRow(float[] rows, int begin) {
        for (int j = 0; j < columns; j++) part[j] += rows[begin + j];
    }

    /** target += the sum of these sums, in their order. */
    static void addTo(CpuTensor target, ColumnSums[] sums) {
        float[] values = target.toFloats();
        for (int j = 0; j < values.length; j++) {
            double total = 0;
            for (ColumnSums sum : sums) total += sum.totals[j];
            values[j] += (float) total;
        }
        target.write(0, values, values.length);
    }
}
