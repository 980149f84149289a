package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** N T H beyond 2^31 on the device: the last rows of a huge batch are what they are in a small one. */
@Tag("cuda")
@Tag("hardware")
class CudaLargeTest {
    private static final int T = 33;
    private static final int N = 1 << 16;
    private static final int H = 1024;
    private static final int D = 4;
    private static final int ROWS = 3;
    private static final long MIB_NEEDED = 24 << 10;

    private final Random random = new Random(11);

    @Test
    void theLastRowsOfAHugeBatchAreThoseOfASmallOne() {
        try (CudaBackend backend = Required.open("cuda", CudaBackend::open)) {
            Required.that(
                    CudaMemoryTest.freeBytes(backend) >> 20 > MIB_NEEDED,
                    "device-memory",
                    "a batch beyond 2^31",
                    "it needs " + MIB_NEEDED + " MiB of free device memory");
            float[] tail = floats(T * ROWS * D, 1);
            // Contractive weights: a sum in another order must not grow from step to step.
            try (Tensor wx = tensor(backend, floats(D * H, 0.5), D, H);
                    Tensor wh = tensor(backend, floats(H * H, 0.015), H, H);
                    Tensor b = tensor(backend, floats(H, 0.1), H);
                    Tensor dwx = backend.allocate(Shape.of(D, H));
                    Tensor dwh = backend.allocate(Shape.of(H, H));
                    Tensor db = backend.allocate(Shape.of(H))) {
                SimpleRnnWeights weights = new SimpleRnnWeights(wx, wh, b);
                SimpleRnnWeights gradients = new SimpleRnnWeights(dwx, dwh, db);
                float[][] small = tailOf(backend, weights, gradients, tail, ROWS);
                float[][] huge = tailOf(backend, weights, gradients, tail, N);
                assertTrue((long) (T + 1) * N * H > 1L << 31);
                for (int part = 0; part < small.length; part++) {
                    for (int i = 0; i < small[part].length; i++) {
                        assertEquals(small[part][i], huge[part][i], 1e-5, "part " + part + ", element " + i);
                    }
                }
            }
            assertEquals(0, backend.liveTensors());
        }
    }

    /** The last state and the first da of the last rows of a batch of n rows, all others of which are fed zeros. */
    private static float[][] tailOf(
            CudaBackend backend, SimpleRnnWeights weights, SimpleRnnWeights gradients, float[] tail, int n) {
        SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, null);
        try (Tensor x = backend.allocate(Shape.of(T, n, D));
                Tensor h = backend.allocate(Shape.of(T + 1, n, H));
                Tensor dh = backend.allocate(Shape.of(T + 1, n, H))) {
            for (int t = 0; t < T; t++) {
                float[] step = java.util.Arrays.copyOfRange(tail, t * ROWS * D, (t + 1) * ROWS * D);
                x.view(((long) t * n + n - ROWS) * D, Shape.of(ROWS, D)).set(step);
            }
            SimpleRnnForward forward = new SimpleRnnForward(weights, pass, x, h);
            backend.simpleRnnForward(forward);
            Tensor last = dh.slice(T, 1);
            backend.fill(last, 1);
            backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, null, gradients));
            long end = (long) n * H;
            Shape rows = Shape.of(ROWS, H);
            return new float[][] {
                h.view(T * end + end - ROWS * (long) H, rows).toFloats(),
                dh.view(end + end - ROWS * (long) H, rows).toFloats()
            };
        }
    }

    private float[] floats(int size, double scale) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = (float) (random.nextGaussian() * scale);
        return values;
    }

    private static Tensor tensor(CudaBackend backend, float[] values, int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        tensor.set(values);
        return tensor;
    }
}
