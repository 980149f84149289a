package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class TanhTest {
    private static final int BLOCK = 1024;

    /** First elements and counts, of which each kind of loop has one. */
    private static final int[][] RANGES = {
        {0, 3000},
        {1, 1100},
        {7, 64},
        {5, 63},
        {100, 2048},
        {2999, 1},
        {10, 0},
        {3, 12},
        {3, 13},
        {9, 32},
        {1490, 33},
        {0, 100},
        {1400, 128},
        {1300, 129},
        {1250, 500},
        {1, 513},
        {1000, 1023}
    };

    /** Every exponent, and of the 2^31 positive floats every 509th; with -Delman.tanh.all=true every one. */
    @Test
    void isWithinFourUlpOfTheExactValue() {
        int stride = Boolean.getBoolean("elman.tanh.all") ? 1 : 509;
        double worst = 0;
        float[] x = new float[BLOCK];
        FloatBuffer y = buffer(BLOCK);
        FloatBuffer block = buffer(Tanh.BLOCK);
        for (long bits = 0; bits < 0x7f800000L; ) {
            int count = 0;
            for (; count < BLOCK && bits < 0x7f800000L; bits += stride) x[count++] = Float.intBitsToFloat((int) bits);
            y.put(0, x);
            Tanh.apply(y, 0, count, block);
            for (int i = 0; i < count; i++) worst = Math.max(worst, ulpError(x[i], y.get(i)));
        }
        assertTrue(worst <= 2.8, "worst error in ulp: " + worst);
    }

    private static double ulpError(float x, float y) {
        assertTrue(y <= 1, () -> "tanh(" + x + ") = " + y);
        double exact = Math.tanh(x);
        return Math.abs(y - exact) / Math.ulp((float) exact);
    }

    @Test
    void isOddBitByBit() {
        for (int bits = 0; bits < 0x7f800000; bits += 65_521) {
            float x = Float.intBitsToFloat(bits);
            assertBits(-tanh(x), tanh(-x));
        }
    }

    @Test
    void keepsWhatHasOneAnswer() {
        assertBits(0f, tanh(0f));
        assertBits(-0f, tanh(-0f));
        assertBits(1f, tanh(Float.POSITIVE_INFINITY));
        assertBits(-1f, tanh(Float.NEGATIVE_INFINITY));
        assertBits(1f, tanh(Float.MAX_VALUE));
        assertTrue(Float.isNaN(tanh(Float.NaN)));
        for (float tiny : new float[] {Float.MIN_VALUE, 7 * Float.MIN_VALUE, Float.MIN_NORMAL, 1e-20f, 1e-5f}) {
            assertBits(tiny, tanh(tiny));
        }
    }

    private static float tanh(float x) {
        FloatBuffer value = buffer(1).put(0, x);
        Tanh.apply(value, 0, 1, buffer(Tanh.BLOCK));
        return value.get(0);
    }

    private static FloatBuffer buffer(int size) {
        return ByteBuffer.allocateDirect(Float.BYTES * size)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    /** An element's bits are the same in the long loops and in the short ones, and its neighbours are left alone. */
    @Test
    void givesTheSameBitsAtAnyPlaceAndLength() {
        int size = 3000;
        FloatBuffer values = buffer(size);
        for (int i = 0; i < size; i++) values.put(i, (i - 1500) * 0.004f);
        for (int[] range : RANGES) {
            FloatBuffer y = buffer(size).put(0, values, 0, size);
            Tanh.apply(y, range[0], range[1], buffer(Tanh.BLOCK));
            for (int i = 0; i < size; i++) {
                boolean inside = i >= range[0] && i < range[0] + range[1];
                assertBits(inside ? tanh(values.get(i)) : values.get(i), y.get(i));
            }
        }
    }

    private static void assertBits(float expected, float actual) {
        assertEquals(
                Float.floatToRawIntBits(expected), Float.floatToRawIntBits(actual), () -> expected + ", " + actual);
    }
}
