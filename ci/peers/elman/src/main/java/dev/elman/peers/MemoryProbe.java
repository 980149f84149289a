package dev.elman.peers;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.io.IOException;
import java.util.Arrays;

/**
 * Makes one training step of the sizes given and prints the most memory that this process then had resident, in bytes;
 * without sizes it does nothing first. Its own arrays on the heap hold one row.
 */
final class MemoryProbe {
    private MemoryProbe() {}

    public static void main(String[] args) throws IOException {
        for (String arg : args) step(Sizes.parse(arg));
        System.out.println(Machine.peakBytes());
    }

    private static void step(Sizes sizes) {
        try (Backend backend = Backends.open("cpu");
                ElmanStep step = new ElmanStep(backend, sizes)) {
            fill(step.x(), sizes.n() * sizes.t(), sizes.d(), 0.5f);
            fill(step.weights().wx(), sizes.d(), sizes.h(), 1f / sizes.h());
            fill(step.weights().wh(), sizes.h(), sizes.h(), 1f / sizes.h());
            step.forward();
            fill(step.dy(), sizes.n() * sizes.t(), sizes.h(), 0.5f);
            step.backward();
        }
    }

    private static void fill(Tensor tensor, int rows, int width, float value) {
        float[] row = new float[width];
        Arrays.fill(row, value);
        Tensor all = tensor.reshape(Shape.of(rows, width));
        for (int i = 0; i < rows; i++) all.slice(i, 1).set(row);
    }
}
