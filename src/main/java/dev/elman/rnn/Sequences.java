package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.Objects;

/**
 * Arrays as users have them, [N,T,D] row by row, and the time-major tensors that the layers take.
 *
 * <p>An instance holds a batch on the host: features [T,N,D] and which steps are live.
 */
public final class Sequences {
    /** Largest array that every JVM can make. */
    private static final int LARGEST = Integer.MAX_VALUE - 8;

    private final int rows;
    private final int steps;
    private final int features;
    private final float[] timeMajor;
    private final int[] live;

    private Sequences(int rows, int steps, int features, float[] timeMajor, int[] live) {
        this.rows = rows;
        this.steps = steps;
        this.features = features;
        this.timeMajor = timeMajor;
        this.live = live;
    }

    /**
     * A batch [N,T,D] in which every step is live.
     *
     * @throws IllegalArgumentException when rows have other numbers of steps or features than the first, naming the place
     */
    public static Sequences of(float[][][] x) {
        requireRows(x);
        int steps = x.length == 0 ? 0 : x[0].length;
        for (int n = 0; n < x.length; n++) {
            if (x[n].length != steps) {
                throw new IllegalArgumentException("Sequences: row " + n + " has " + x[n].length
                        + " steps, but row 0 has " + steps + ". Use Sequences.padded for rows of different lengths.");
            }
        }
        return build(x, steps, null);
    }

    /**
     * A batch of rows of any length, 0 too: shorter ones are padded at the end with masked steps of zeros.
     *
     * @throws IllegalArgumentException when steps have different numbers of features, or there are more than an array holds
     */
    public static Sequences padded(float[][][] x) {
        requireRows(x);
        int steps = Arrays.stream(x).mapToInt(row -> row.length).max().orElse(0);
        int[] lengths = Arrays.stream(x).mapToInt(row -> row.length).toArray();
        return build(x, steps, liveSteps(lengths, steps));
    }

    private static void requireRows(float[][][] x) {
        Objects.requireNonNull(x, "x");
        for (int n = 0; n < x.length; n++) {
            if (x[n] == null) {
                throw new IllegalArgumentException(
                        "Sequences: row " + n + " is null. An empty row is an array of length 0.");
            }
        }
    }

    private static Sequences build(float[][][] x, int steps, int[] live) {
        int features = -1;
        for (int n = 0; n < x.length; n++) {
            for (int t = 0; t < x[n].length; t++) {
                if (x[n][t] == null) {
                    throw new IllegalArgumentException(
                            "Sequences: row " + n + ", step " + t + " is null. Give its features, or leave it out.");
                }
                if (features < 0) features = x[n][t].length;
                if (x[n][t].length != features) {
                    throw new IllegalArgumentException("Sequences: row " + n + ", step " + t + " has " + x[n][t].length
                            + " features, but the first step has " + features + ".");
                }
            }
        }
        features = Math.max(features, 0);
        float[] timeMajor = new float[size(steps, x.length, features)];
        for (int n = 0; n < x.length; n++) {
            for (int t = 0; t < x[n].length; t++) {
                System.arraycopy(x[n][t], 0, timeMajor, (t * x.length + n) * features, features);
            }
        }
        return new Sequences(x.length, steps, features, timeMajor, live);
    }

    private static int size(int steps, int rows, int features) {
        if ((double) steps * rows * features > LARGEST) {
            throw new IllegalArgumentException("Sequences: N = " + rows + " rows of T = " + steps + " steps of "
                    + features + " numbers are more than an array holds. Cut the longest rows, or take fewer.");
        }
        return steps * rows * features;
    }

    /**
     * The same batch of which row n is live in its first lengths[n] steps only.
     *
     * @throws IllegalArgumentException when a length is below 0 or above T, or their number is not N
     */
    public Sequences withLengths(int... lengths) {
        if (lengths.length != rows) {
            throw new IllegalArgumentException(
                    "withLengths: N = " + rows + " lengths are needed, but there are " + lengths.length + ".");
        }
        return new Sequences(rows, steps, features, timeMajor, liveSteps(lengths, steps));
    }

    /**
     * The same batch, live where mask [N,T] is true.
     *
     * @throws IllegalArgumentException when the mask is not [N,T]
     */
    public Sequences withMask(boolean[][] mask) {
        int[] marks = new int[size(steps, rows, 1)];
        if (mask.length != rows) {
            throw new IllegalArgumentException(
                    "withMask: the mask must have N = " + rows + " rows, but has " + mask.length + ".");
        }
        for (int n = 0; n < rows; n++) {
            if (mask[n].length != steps) {
                throw new IllegalArgumentException("withMask: row " + n + " of the mask must have T = " + steps
                        + " steps, but has " + mask[n].length + ".");
            }
            for (int t = 0; t < steps; t++) marks[t * rows + n] = mask[n][t] ? 1 : 0;
        }
        return new Sequences(rows, steps, features, timeMajor, marks);
    }

    /**
     * This batch, once every feature of a live step is known to be a finite number.
     *
     * @throws IllegalArgumentException otherwise, naming row, step and feature
     */
    public Sequences requireFinite() {
        for (int i = 0; i < timeMajor.length; i++) {
            int step = i / features;
            if (!Float.isFinite(timeMajor[i]) && (live == null || live[step] != 0)) {
                throw new IllegalArgumentException("Input must be finite, but row " + step % rows + ", step "
                        + step / rows + ", feature " + i % features + " is " + timeMajor[i]
                        + ". Clean the data, or mask that step.");
            }
        }
        return this;
    }

    /**
     * Marks [T,N], 1 in the first lengths[n] steps of row n.
     *
     * @throws IllegalArgumentException when a length is below 0 or above T
     */
    public static int[] liveSteps(int[] lengths, int steps) {
        int rows = lengths.length;
        int[] live = new int[size(steps, rows, 1)];
        for (int n = 0; n < rows; n++) {
            if (lengths[n] < 0 || lengths[n] > steps) {
                throw new IllegalArgumentException(
                        "Sequences: lengths must be 0 to T = " + steps + ", but row " + n + " has " + lengths[n] + ".");
            }
            for (int t = 0; t < lengths[n]; t++) live[t * rows + n] = 1;
        }
        return live;
    }

    /** N. */
    public int rows() {
        return rows;
    }

    /** T. */
    public int steps() {
        return steps;
    }

    /** D. */
    public int features() {
        return features;
    }

    /**
     * The features as a new tensor [T,N,D], which the caller closes. Masked steps are zeros there, whatever they hold here:
     * the gradient of the weights multiplies them by 0, and 0 times NaN is NaN.
     */
    public Tensor upload(Backend backend) {
        float[] values = timeMajor.clone();
        for (int step = 0; live != null && step < live.length; step++) {
            if (live[step] == 0) Arrays.fill(values, step * features, (step + 1) * features, 0);
        }
        Tensor x = backend.allocate(Shape.of(steps, rows, features));
        x.set(values);
        return x;
    }

    /** The mask as a new tensor [T,N], which the caller closes; null when every step is live. */
    public IntTensor uploadMask(Backend backend) {
        if (live == null) return null;
        IntTensor mask = backend.allocateInts(Shape.of(steps, rows));
        mask.set(live);
        return mask;
    }

    /**
     * A tensor [T,N,C] as an array [N,T,C].
     *
     * @throws ShapeMismatchException for another rank
     */
    public static float[][][] batchMajor(Tensor sequence) {
        Shape shape = requireRank("batchMajor", "[T,N,C]", 3, sequence);
        int steps = shape.extent(0);
        int rows = shape.extent(1);
        int channels = shape.extent(2);
        float[] values = sequence.toFloats();
        float[][][] result = new float[rows][steps][];
        for (int n = 0; n < rows; n++) {
            for (int t = 0; t < steps; t++) {
                int from = (t * rows + n) * channels;
                result[n][t] = Arrays.copyOfRange(values, from, from + channels);
            }
        }
        return result;
    }

    /**
     * A tensor [N,C] as an array [N,C].
     *
     * @throws ShapeMismatchException for another rank
     */
    public static float[][] rows(Tensor matrix) {
        Shape shape = requireRank("rows", "[N,C]", 2, matrix);
        int rows = shape.extent(0);
        int columns = shape.extent(1);
        float[] values = matrix.toFloats();
        float[][] result = new float[rows][];
        for (int n = 0; n < rows; n++) result[n] = Arrays.copyOfRange(values, n * columns, (n + 1) * columns);
        return result;
    }

    private static Shape requireRank(String operation, String letters, int rank, Tensor tensor) {
        Shape shape = tensor.shape();
        if (shape.rank() == rank) return shape;
        throw new ShapeMismatchException("Sequences." + operation, "the tensor", letters, shape);
    }
}
