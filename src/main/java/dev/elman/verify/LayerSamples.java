package dev.elman.verify;

import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Embedding, dense, pooling, dropout. */
final class LayerSamples {
    private static final int[] STEPS = {1, 2, 7};
    private static final int[] ROWS = {1, 3, 33};
    private static final int[] COLUMNS = {1, 5, 31, 33, 100};
    private static final Masks[] MASKS = {Masks.NONE, Masks.RIGHT, Masks.LEFT, Masks.HOLES, Masks.ALL};

    private LayerSamples() {}

    static List<Sample> all() {
        List<Sample> samples = new ArrayList<>();
        int[][] tables = {{1, 1, 1}, {3, 5, 7}, {33, 7, 33}, {231, 40, 100}, {2, 1000, 31}, {0, 3, 5}};
        for (int[] size : tables) {
            samples.add(embeddingForward(size[0], size[1], size[2]));
            samples.add(embeddingBackward(size[0], size[1], size[2]));
        }
        for (int m : new int[] {0, 1, 3, 33, 231}) {
            for (int d : new int[] {1, 5, 33, 100}) {
                for (int k : new int[] {1, 2, 31, 100}) addDense(samples, m, d, k);
            }
        }
        // As many rows as the threads of a GPU reach at once: one row further is none of y's.
        addDense(samples, 32, 6, 31);
        addDense(samples, 32, 5, 100);
        int turn = 0;
        for (int t : STEPS) {
            for (int n : ROWS) {
                for (int c : COLUMNS) addSequence(samples, t, n, c, turn++);
            }
        }
        addSequence(samples, 32, 16, 128, 1);
        addSequence(samples, 0, 3, 5, 0);
        addSequence(samples, 7, 0, 5, 1);
        samples.add(poolOfNaN(Pooling.MAX));
        samples.add(poolOfNaN(Pooling.MEAN));
        samples.add(dropoutOfRows(33, 31));
        samples.add(dropoutInPlace(2, 3, 33));
        return samples;
    }

    static List<Sample> specimens() {
        return List.of(
                embeddingForward(6, 5, 3),
                embeddingBackward(6, 5, 3),
                denseForward(6, 3, 5, true, false),
                denseBackward(6, 3, 5, true, true, false),
                denseForward(6, 3, 5, true, true),
                denseBackward(6, 3, 5, true, true, true),
                poolForward(Pooling.MAX, 4, 3, 5, Masks.RIGHT),
                poolForward(Pooling.MEAN, 4, 3, 5, Masks.RIGHT),
                poolBackward(Pooling.MAX, 4, 3, 5, Masks.RIGHT),
                poolBackward(Pooling.MEAN, 4, 3, 5, Masks.RIGHT),
                dropout(new Dropout(.5, 3, 0), 4, 3, 5));
    }

    private static Sample embeddingForward(int m, int v, int d) {
        return Sample.of("embeddingForward", "M=" + m + " V=" + v + " D=" + d, "", trial -> {
                    Tensor table = trial.input("table", Shape.of(v, d));
                    IntTensor ids = trial.ints("ids", Sample.rows(m), trial.integers(m, 0, v));
                    Tensor y = trial.output("y", Sample.rows(m, d), Tolerance.EXACT);
                    return backend -> backend.embeddingForward(table, ids, y);
                })
                .withFree("table.0");
    }

    /** Some rows of the table get many gradients, some none. */
    private static Sample embeddingBackward(int m, int v, int d) {
        return Sample.of("embeddingBackward", "M=" + m + " V=" + v + " D=" + d, "", trial -> {
                    IntTensor ids = trial.ints("ids", Sample.rows(m), trial.integers(m, 0, (v + 1) / 2));
                    Tensor dy = trial.input("dy", Sample.rows(m, d));
                    Tensor table = trial.updated("dTable", Shape.of(v, d), Tolerance.ofTerms(m));
                    return backend -> backend.embeddingBackward(ids, dy, table);
                })
                .withFree("dTable.0");
    }

    private static void addDense(List<Sample> samples, int m, int d, int k) {
        boolean bias = (m + d + k) % 4 != 0;
        samples.add(denseForward(m, d, k, bias, false));
        samples.add(denseForward(m, d, k, bias, true));
        samples.add(denseBackward(m, d, k, bias, (m + k) % 3 != 0, true));
        samples.add(denseBackward(m, d, k, bias, (m + k) % 3 != 0, false));
    }

    /** @param transposed whether w is, [K,D] */
    private static Sample denseForward(int m, int d, int k, boolean bias, boolean transposed) {
        String operation = transposed ? "linearForward" : "denseForward";
        return Sample.of(operation, "M=" + m + " D=" + d + " K=" + k, bias ? "" : "no bias", trial -> {
            Tensor x = trial.input("x", Sample.rows(m, d));
            Tensor w = trial.input("w", transposed ? Shape.of(k, d) : Shape.of(d, k));
            Tensor b = bias ? trial.input("b", Shape.of(k)) : null;
            Tensor y = trial.output("y", Sample.rows(m, k), Tolerance.ofTerms(d + 1L));
            return backend -> {
                if (transposed) backend.linearForward(x, w, b, y);
                else backend.denseForward(x, w, b, y);
            };
        });
    }

    /** @param transposed whether w is, [K,D] */
    private static Sample denseBackward(int m, int d, int k, boolean bias, boolean inputGradient, boolean transposed) {
        String operation = transposed ? "linearBackward" : "denseBackward";
        String variant = bias ? inputGradient ? "" : "no dx" : inputGradient ? "no bias" : "no bias, no dx";
        return Sample.of(operation, "M=" + m + " D=" + d + " K=" + k, variant, trial -> {
            Shape weights = transposed ? Shape.of(k, d) : Shape.of(d, k);
            Tensor x = trial.input("x", Sample.rows(m, d));
            Tensor w = trial.input("w", weights);
            Tensor dy = trial.input("dy", Sample.rows(m, k));
            Tensor dx = inputGradient ? trial.output("dx", Sample.rows(m, d), Tolerance.ofTerms(k)) : null;
            Tensor dw = trial.updated("dw", weights, Tolerance.ofTerms(m + 1L));
            Tensor db = bias ? trial.updated("db", Shape.of(k), Tolerance.ofTerms(m + 1L)) : null;
            return backend -> {
                if (transposed) backend.linearBackward(x, w, dy, dx, dw, db);
                else backend.denseBackward(x, w, dy, dx, dw, db);
            };
        });
    }

    private static void addSequence(List<Sample> samples, int t, int n, int c, int turn) {
        Masks masks = MASKS[turn % MASKS.length];
        for (Pooling pooling : Pooling.values()) {
            samples.add(poolForward(pooling, t, n, c, masks));
            samples.add(poolBackward(pooling, t, n, c, masks));
            samples.add(poolForward(pooling, t, n, c, masks == Masks.NONE ? Masks.HOLES : Masks.NONE));
        }
        double[] rates = {.5, .1, .9, 0};
        long seed = 0x9E3779B97F4A7C15L * (turn + 1);
        int firstRow = turn % 3 * 1_000_000_007;
        for (boolean variational : new boolean[] {false, true}) {
            samples.add(dropout(new Dropout(rates[turn % rates.length], seed, firstRow, variational), t, n, c));
        }
    }

    /** Equal values are frequent, so that the first of them must be found. */
    private static Sample poolForward(Pooling pooling, int t, int n, int c, Masks masks) {
        return Sample.of("poolForward", sequence(t, n, c), text(pooling, masks), trial -> {
            Tensor x = trial.input("x", Shape.of(t, n, c), trial.coarse((long) t * n * c));
            IntTensor mask = trial.mask(masks, t, n);
            Tolerance tolerance = pooling == Pooling.MAX ? Tolerance.EXACT : Tolerance.ofTerms(t + 1L);
            Tensor y = trial.output("y", Shape.of(n, c), tolerance);
            IntTensor argmax = pooling == Pooling.MAX ? trial.intOutput("argmax", Shape.of(n, c)) : null;
            return backend -> backend.poolForward(pooling, x, mask, y, argmax);
        });
    }

    private static Sample poolBackward(Pooling pooling, int t, int n, int c, Masks masks) {
        return Sample.of("poolBackward", sequence(t, n, c), text(pooling, masks), trial -> {
            Tensor dy = trial.input("dy", Shape.of(n, c));
            IntTensor mask = trial.mask(masks, t, n);
            IntTensor argmax = pooling == Pooling.MAX
                    ? trial.ints("argmax", Shape.of(n, c), trial.integers((long) n * c, -1, t))
                    : null;
            Tolerance tolerance = pooling == Pooling.MAX ? Tolerance.EXACT : Tolerance.ofTerms(1);
            Tensor dx = trial.output("dx", Shape.of(t, n, c), tolerance);
            return backend -> backend.poolBackward(pooling, dy, mask, argmax, dx);
        });
    }

    private static Sample poolOfNaN(Pooling pooling) {
        int t = 7;
        int n = 5;
        int c = 33;
        return Sample.of("poolForward", sequence(t, n, c), text(pooling, Masks.HOLES) + ", infinite and NaN", trial -> {
            trial.allowNonFinite();
            double[] values = trial.uniform((long) t * n * c, 1);
            double[] wild = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
            for (int i = 0; i < values.length; i += 11) values[i] = wild[i % wild.length];
            Tensor x = trial.input("x", Shape.of(t, n, c), values);
            IntTensor mask = trial.mask(Masks.HOLES, t, n);
            Tensor y = trial.output("y", Shape.of(n, c), Tolerance.ofTerms(t));
            IntTensor argmax = pooling == Pooling.MAX ? trial.intOutput("argmax", Shape.of(n, c)) : null;
            return backend -> backend.poolForward(pooling, x, mask, y, argmax);
        });
    }

    /** An element is dropped, and exactly 0, where it is in the reference; kept ones are rounded once or twice. */
    private static Sample dropout(Dropout dropout, int t, int n, int c) {
        return Sample.of("dropout", sequence(t, n, c), text(dropout), trial -> {
            Tensor x = trial.input("x", Shape.of(t, n, c));
            Tensor y = trial.output("y", Shape.of(t, n, c), Tolerance.ofTerms(1));
            return backend -> backend.dropout(dropout, x, y);
        });
    }

    private static Sample dropoutOfRows(int n, int c) {
        Dropout dropout = new Dropout(.5, -1, 5);
        return Sample.of("dropout", "N=" + n + " C=" + c, text(dropout), trial -> {
            Tensor x = trial.input("x", Shape.of(n, c));
            Tensor y = trial.output("y", Shape.of(n, c), Tolerance.ofTerms(1));
            return backend -> backend.dropout(dropout, x, y);
        });
    }

    private static Sample dropoutInPlace(int t, int n, int c) {
        Dropout dropout = new Dropout(.25, 7, 0);
        return Sample.of("dropout", sequence(t, n, c), text(dropout) + ", y is x", trial -> {
            Tensor x = trial.updated("x", Shape.of(t, n, c), Tolerance.ofTerms(1));
            return backend -> backend.dropout(dropout, x, x);
        });
    }

    private static String sequence(int t, int n, int c) {
        return "T=" + t + " N=" + n + " C=" + c;
    }

    private static String text(Pooling pooling, Masks masks) {
        return pooling.name().toLowerCase(Locale.ROOT) + ", " + masks;
    }

    private static String text(Dropout dropout) {
        return "rate " + dropout.rate() + ", first row " + dropout.firstRow()
                + (dropout.variational() ? ", variational" : "");
    }
}
