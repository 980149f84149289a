package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.IntBuffer;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;

/** A sequence turned round: its steps are rows that are looked up from the last to the first. */
final class TimeReversal implements AutoCloseable {
    private final Backend backend;
    private final IntBuffer indices;
    /** The last [T,N]; the indices are uploaded again for others only. */
    private Shape steps = Shape.of(0, 0);

    TimeReversal(Backend backend) {
        this.backend = backend;
        this.indices = new IntBuffer(backend);
    }

    /** x [T,N,C] from its last step to its first, in {@code memory}, where x must not lie. */
    Tensor of(Tensor x, Buffer memory) {
        int t = x.shape().extent(0);
        int n = x.shape().extent(1);
        int c = x.shape().extent(2);
        if (!steps.equals(Shape.of(t, n))) {
            steps = Shape.of(0, 0); // until they are there: memory may run out on the way
            int[] rows = new int[t * n];
            for (int i = 0; i < rows.length; i++) rows[i] = (t - 1 - i / n) * n + i % n;
            indices.of(Shape.of(t * n)).set(rows);
            steps = Shape.of(t, n);
        }
        Tensor y = memory.of(x.shape());
        backend.embeddingForward(x.reshape(Shape.of(t * n, c)), indices.of(Shape.of(t * n)), y);
        return y;
    }

    @Override
    public void close() {
        indices.close();
    }
}
