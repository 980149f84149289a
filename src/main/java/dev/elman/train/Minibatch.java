package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.IntBuffer;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.lang.reflect.Array;
import java.util.Arrays;

/** Some rows of an input on the device, time-major and padded at the end, with their labels. Loaded again and again. */
final class Minibatch implements AutoCloseable {
    private final int inputSize;
    private final IntBuffer ints;
    private final Buffer features;
    private IntTensor ids;
    private Tensor x;
    private IntTensor mask;
    private IntTensor labels;

    /** @param inputSize D of the features; not used for tokens */
    Minibatch(Backend backend, int inputSize) {
        this.inputSize = inputSize;
        ints = new IntBuffer(backend);
        features = new Buffer(backend);
    }

    /**
     * Uploads these rows; mask, ids and labels travel together. {@code classes} may be null. The mask comes first: it then
     * lies at one address whatever T is, as the other operands of a recurrence do, and what a backend prepared for those
     * addresses serves again.
     */
    void load(SequenceInput input, int[] rows, int[] classes) {
        int n = rows.length;
        // An all-empty batch still has one step, masked.
        int t = 1;
        boolean ragged = false;
        for (int row : rows) t = Math.max(t, input.length(row));
        for (int row : rows) ragged |= input.length(row) < t;
        requireRoom(t, n, input instanceof SequenceInput.Features ? Math.max(2, inputSize) : 2);
        int[] host = new int[2 * t * n + n];
        for (int i = 0; i < n; i++) {
            for (int step = 0; step < input.length(rows[i]); step++) host[step * n + i] = 1;
            if (classes != null) host[2 * t * n + i] = classes[rows[i]];
        }
        if (input instanceof SequenceInput.Tokens tokens) {
            for (int i = 0; i < n; i++) {
                int[] row = requireHere(input, rows[i], tokens.ids()[rows[i]]);
                for (int step = 0; step < row.length; step++) host[(t + step) * n + i] = row[step];
            }
        }
        IntTensor all = ints.of(Shape.of(host.length));
        all.set(host);
        mask = ragged ? all.view(0, Shape.of(t, n)) : null;
        ids = all.view((long) t * n, Shape.of(t, n));
        labels = all.view(2L * t * n, Shape.of(n));
        x = input instanceof SequenceInput.Features vectors ? upload(vectors, rows, t) : null;
    }

    /** Uploads a window of token streams: ids and next ids, both [T,N]. */
    void load(int[] streamIds, int[] nextIds, int n) {
        int t = streamIds.length / n;
        IntTensor all = ints.of(Shape.of(2 * t * n));
        int[] host = Arrays.copyOf(streamIds, 2 * t * n);
        System.arraycopy(nextIds, 0, host, t * n, t * n);
        all.set(host);
        ids = all.view(0, Shape.of(t, n));
        labels = all.view((long) t * n, Shape.of(t * n));
        mask = null;
        x = null;
    }

    /** @param most numbers of a step */
    private static void requireRoom(int t, int n, int most) {
        if ((long) most * t * n + n > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("A minibatch of N = " + n + " rows of T = " + t
                    + " steps is larger than an array. Cut the longest rows, or take smaller batches.");
        }
    }

    /** Rows may come, and be replaced, after their input was made. */
    private static <T> T requireHere(SequenceInput input, int number, T row) {
        if (row == null) {
            throw new IllegalStateException(
                    "Row " + number + " is not here. Team.startEpoch has to bring every row of this worker's shares.");
        }
        if (Array.getLength(row) != input.length(number)) {
            throw new IllegalStateException("Row " + number + " came with " + Array.getLength(row)
                    + " steps, but its length is said to be " + input.length(number) + ". Bring rows unpadded.");
        }
        return row;
    }

    private Tensor upload(SequenceInput.Features vectors, int[] rows, int t) {
        int n = rows.length;
        int d = inputSize;
        float[] host = new float[t * n * d];
        for (int i = 0; i < n; i++) {
            float[][] steps = requireHere(vectors, rows[i], vectors.x()[rows[i]]);
            for (int step = 0; step < steps.length; step++)
                System.arraycopy(steps[step], 0, host, (step * n + i) * d, d);
        }
        Tensor all = features.of(Shape.of(t, n, d));
        all.set(host);
        return all;
    }

    /** [T,N]; all 0 for features. */
    IntTensor ids() {
        return ids;
    }

    /** [T,N,D]; null for tokens. */
    Tensor features() {
        return x;
    }

    /** [T,N], or null when all rows are of one length. */
    IntTensor mask() {
        return mask;
    }

    /** [N], or [T*N] of a window. */
    IntTensor labels() {
        return labels;
    }

    @Override
    public void close() {
        ints.close();
        features.close();
    }
}
