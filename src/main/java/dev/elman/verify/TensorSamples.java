package dev.elman.verify;

import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;

/** What works on whole tensors, in one way on all elements, columns or rows. */
final class TensorSamples {
    private static final int[][] SHAPES = {{1, 1}, {3, 5}, {33, 31}, {1, 100}, {7, 1023}, {101, 1000}, {0, 5}};

    private TensorSamples() {}

    static List<Sample> all() {
        List<Sample> samples = new ArrayList<>();
        for (int[] extents : SHAPES) {
            int m = extents[0];
            int c = extents[1];
            samples.add(fill(m, c, .625));
            samples.add(fill(m, c, 0));
            samples.add(copy(m, c));
            samples.add(axpy(m, c, -1.5));
            samples.add(axpy(m, c, 1e-3));
            samples.add(multiply(m, c, false));
            samples.add(multiply(m, c, true));
            samples.add(copyColumns(m, 0, c, 0, c, c));
            samples.add(copyColumns(m, c / 2, c, c, 2 * c, (c + 1) / 2));
            samples.add(copyColumns(m, c - 1, 3 * c, c / 3, c, c / 2));
            samples.add(maskRows(m, c, false));
            samples.add(maskRows(m, c, true));
        }
        for (int t : new int[] {0, 1, 2, 7, 100}) {
            for (int n : new int[] {1, 3, 33}) {
                for (Masks masks : List.of(Masks.RIGHT, Masks.LEFT, Masks.HOLES, Masks.ALL)) {
                    samples.add(seenSteps(t, n, masks, samples.size() % 2 == 0));
                }
            }
        }
        samples.add(seenSteps(7, 0, Masks.RIGHT, false));
        return samples;
    }

    static List<Sample> specimens() {
        return List.of(
                fill(3, 5, -.5),
                copy(3, 7),
                axpy(3, 7, .5),
                multiply(3, 7, false),
                copyColumns(3, 1, 5, 2, 6, 3),
                maskRows(4, 5, false),
                seenSteps(6, 3, Masks.HOLES, true));
    }

    private static Sample fill(int m, int c, double value) {
        return Sample.of("fill", shape(m, c), "with " + value, trial -> {
                    Tensor y = trial.output("y", Shape.of(m, c), Tolerance.EXACT);
                    return backend -> backend.fill(y, value);
                })
                .withFree("y.0", "y.1");
    }

    /** Same size is enough, the shapes may differ. */
    private static Sample copy(int m, int c) {
        return Sample.of("copy", shape(m, c), "", trial -> {
            Tensor x = trial.input("x", Shape.of(m, c));
            Tensor y = trial.output("y", Shape.of(c, m), Tolerance.EXACT);
            return backend -> backend.copy(x, y);
        });
    }

    private static Sample axpy(int m, int c, double alpha) {
        return Sample.of("axpy", shape(m, c), "alpha " + alpha, trial -> {
            Tensor x = trial.input("x", Shape.of(m, c));
            Tensor y = trial.updated("y", Shape.of(m, c), new Tolerance(2, Math.abs(alpha)));
            return backend -> backend.axpy(alpha, x, y);
        });
    }

    private static Sample multiply(int m, int c, boolean inPlace) {
        return Sample.of("multiply", shape(m, c), inPlace ? "y is b" : "", trial -> {
            Tensor a = trial.input("a", Shape.of(m, c));
            if (inPlace) {
                Tensor b = trial.updated("b", Shape.of(m, c), Tolerance.ofTerms(1));
                return backend -> backend.multiply(a, b, b);
            }
            Tensor b = trial.input("b", Shape.of(m, c));
            Tensor y = trial.output("y", Shape.of(c, m), Tolerance.ofTerms(1));
            return backend -> backend.multiply(a, b, y);
        });
    }

    /** The other columns of y stay as they are. */
    private static Sample copyColumns(int m, int fromX, int a, int fromY, int b, int columns) {
        String variant = columns + " from " + fromX + " to " + fromY;
        return Sample.of("copyColumns", "M=" + m + " A=" + a + " B=" + b, variant, trial -> {
                    Tensor x = trial.input("x", Sample.rows(m, a));
                    Tensor y = trial.updated("y", Sample.rows(m, b), Tolerance.EXACT);
                    return backend -> backend.copyColumns(x, fromX, y, fromY, columns);
                })
                .withFree("x.1", "y.1");
    }

    /** What is in a dropped row, NaN included, is dropped. */
    private static Sample maskRows(int m, int c, boolean inPlace) {
        return Sample.of("maskRows", shape(m, c), inPlace ? "y is x" : "", trial -> {
            int[] kept = trial.integers(m, -1, 2);
            double[] values = trial.uniform((long) m * c, 1);
            for (int i = 0; i < values.length; i++) {
                if (kept[i / c] == 0 && i % 3 == 0) values[i] = Double.NaN;
            }
            if (inPlace) {
                Tensor x = trial.replaced("x", Sample.rows(m, c), values, Tolerance.EXACT);
                IntTensor keep = trial.ints("keep", Sample.rows(m), kept);
                return backend -> backend.maskRows(x, keep, x);
            }
            Tensor x = trial.input("x", Sample.rows(m, c), values);
            IntTensor keep = trial.ints("keep", Sample.rows(m), kept);
            Tensor y = trial.output("y", Sample.rows(m, c), Tolerance.EXACT);
            return backend -> backend.maskRows(x, keep, y);
        });
    }

    private static Sample seenSteps(int t, int n, Masks masks, boolean reverse) {
        String variant = masks + (reverse ? ", reverse" : ", forward");
        return Sample.of("seenSteps", "T=" + t + " N=" + n, variant, trial -> {
            IntTensor mask = trial.ints("mask", Shape.of(t, n), masks.values(t, n, trial.random()));
            IntTensor seen = trial.intOutput("seen", Shape.of(t, n));
            return backend -> backend.seenSteps(mask, reverse, seen);
        });
    }

    private static String shape(int m, int c) {
        return "M=" + m + " C=" + c;
    }
}
