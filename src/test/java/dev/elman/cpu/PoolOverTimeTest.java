package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PoolOverTimeTest {
    private static final float[] SPECIAL = {
        Float.NEGATIVE_INFINITY,
        -Float.MAX_VALUE,
        -1,
        -Float.MIN_VALUE,
        -0.0f,
        0,
        Float.MIN_VALUE,
        Math.nextDown(1.0f),
        1,
        Float.MAX_VALUE,
        Float.POSITIVE_INFINITY,
        Float.intBitsToFloat(0x7F800001),
        Float.intBitsToFloat(0x7FFFFFFF),
        Float.intBitsToFloat(0xFF800001),
        Float.intBitsToFloat(0xFFFFFFFF)
    };

    /** Every three of them, one after the other, as the reference chooses: larger, or the first NaN. */
    @Test
    void theMaximumIsThatOfFloats() {
        int count = SPECIAL.length;
        int width = count * count * count;
        int[][] steps = new int[3][width];
        for (int i = 0; i < width; i++) {
            steps[0][i] = bits(i % count);
            steps[1][i] = bits(i / count % count);
            steps[2][i] = bits(i / count / count);
        }
        try (Backend backend = CpuBackend.open(1);
                Tensor x = backend.allocate(Shape.of(3, 1, width));
                Tensor y = backend.allocate(Shape.of(1, width));
                IntTensor argmax = backend.allocateInts(Shape.of(1, width))) {
            float[] values = new float[3 * width];
            for (int i = 0; i < values.length; i++) values[i] = Float.intBitsToFloat(steps[i / width][i % width]);
            x.set(values);
            backend.poolForward(Pooling.MAX, x, null, y, argmax);
            float[] given = y.toFloats();
            int[] from = argmax.toInts();
            for (int i = 0; i < width; i++) {
                int best = 0;
                for (int t = 1; t < 3; t++) {
                    if (beats(steps[t][i], steps[best][i])) best = t;
                }
                assertEquals(best, from[i], "of number " + i);
                assertEquals(steps[best][i], Float.floatToRawIntBits(given[i]), "of number " + i);
            }
        }
    }

    private static int bits(int number) {
        return Float.floatToRawIntBits(SPECIAL[number]);
    }

    private static boolean beats(int candidate, int best) {
        float left = Float.intBitsToFloat(candidate);
        float right = Float.intBitsToFloat(best);
        return left > right || (Float.isNaN(left) && !Float.isNaN(right));
    }

    /** One of a longer batch, say: what it does not name stays 0, and nobody else's memory changes. */
    @Test
    void stepsThatAreNotThereHaveNoGradient() {
        try (Backend backend = CpuBackend.open(1);
                Tensor dy = backend.allocate(Shape.of(1, 4));
                IntTensor argmax = backend.allocateInts(Shape.of(1, 4));
                Tensor all = backend.allocate(Shape.of(40))) {
            dy.set(1, 2, 3, 4);
            argmax.set(1, 2, -1, 9);
            backend.fill(all, 7);
            backend.poolBackward(Pooling.MAX, dy, null, argmax, all.view(0, Shape.of(2, 1, 4)));
            float[] expected = new float[40];
            Arrays.fill(expected, 7);
            System.arraycopy(new float[] {0, 0, 0, 0, 1, 0, 0, 0}, 0, expected, 0, 8);
            assertArrayEquals(expected, all.toFloats());
        }
    }
}
