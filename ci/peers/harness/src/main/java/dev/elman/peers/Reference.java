package dev.elman.peers;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The layer and its gradient in plain loops and double: what every peer is checked against. Rows run in parallel, that
 * is all.
 */
final class Reference {
    private final int n;
    private final int t;
    private final int d;
    private final int h;
    private final float[] x;
    private final float[] dy;
    private final double[] wx;
    private final double[] wh;
    private final double[] b;

    private final double[] y;
    private final double[] dx;
    private final double[] dwx;
    private final double[] dwh;
    private final double[] db;

    /** The gradient of the pre-activations [N][T][H]. */
    private final double[] da;

    Reference(Problem problem) {
        n = problem.sizes().n();
        t = problem.sizes().t();
        d = problem.sizes().d();
        h = problem.sizes().h();
        x = problem.x();
        dy = problem.dy();
        wx = doubles(problem.wx());
        wh = doubles(problem.wh());
        b = doubles(problem.b());
        y = new double[n * t * h];
        da = new double[n * t * h];
        dx = new double[n * t * d];
        dwx = new double[d * h];
        dwh = new double[h * h];
        db = new double[h];
        walk();
        sumOverSteps();
    }

    double[] get(Output output) {
        return switch (output) {
            case Y -> y;
            case DX -> dx;
            case DWX -> dwx;
            case DWH -> dwh;
            case DB -> db;
        };
    }

    private void walk() {
        double[] wxTransposed = transpose(wx, d, h);
        double[] whTransposed = transpose(wh, h, h);
        IntStream.range(0, n).parallel().forEach(row -> {
            forward(row);
            backward(row, wxTransposed, whTransposed);
        });
    }

    private void forward(int row) {
        double[] sum = new double[h];
        for (int step = 0; step < t; step++) {
            int at = row * t + step;
            System.arraycopy(b, 0, sum, 0, h);
            for (int k = 0; k < d; k++) add(x[at * d + k], wx, k * h, sum, 0, h);
            for (int k = 0; k < h && step > 0; k++) add(y[(at - 1) * h + k], wh, k * h, sum, 0, h);
            for (int j = 0; j < h; j++) y[at * h + j] = Math.tanh(sum[j]);
        }
    }

    private void backward(int row, double[] wxTransposed, double[] whTransposed) {
        double[] dh = new double[h];
        for (int step = t - 1; step >= 0; step--) {
            int at = row * t + step;
            for (int j = at * h; j < (at + 1) * h; j++) da[j] = (dy[j] + dh[j - at * h]) * (1 - y[j] * y[j]);
            Arrays.fill(dh, 0);
            for (int j = 0; j < h; j++) add(da[at * h + j], whTransposed, j * h, dh, 0, h);
            for (int j = 0; j < h; j++) add(da[at * h + j], wxTransposed, j * d, dx, at * d, d);
        }
    }

    private void sumOverSteps() {
        IntStream.range(0, d).parallel().forEach(k -> {
            for (int at = 0; at < n * t; at++) add(x[at * d + k], da, at * h, dwx, k * h, h);
        });
        IntStream.range(0, h).parallel().forEach(k -> {
            for (int at = 0; at < n * t; at++) {
                if (at % t > 0) add(y[(at - 1) * h + k], da, at * h, dwh, k * h, h);
            }
        });
        for (int at = 0; at < n * t; at++) add(1, da, at * h, db, 0, h);
    }

    /** to += factor * from, over {@code count} elements. */
    private static void add(double factor, double[] from, int fromBegin, double[] to, int toBegin, int count) {
        for (int i = 0; i < count; i++) to[toBegin + i] += factor * from[fromBegin + i];
    }

    private static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) doubles[i] = values[i];
        return doubles;
    }

    private static double[] transpose(double[] values, int rows, int columns) {
        double[] transposed = new double[values.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) transposed[j * rows + i] = values[i * columns + j];
        }
        return transposed;
    }
}
