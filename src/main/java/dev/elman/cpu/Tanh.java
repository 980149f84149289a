package dev.elman.cpu;

import java.nio.FloatBuffer;

/**
 * tanh in additions, multiplications and divisions only, without a branch, so that C2 vectorises it. At most 2.8 ulp from
 * the exact value, over all floats; never beyond 1, NaN stays NaN, and a zero keeps its sign.
 *
 * <p>With r(x) = 2 tanh(x/2), tanh(x) = r / (1 + r²/4). That formula damps the relative error of r by 1/cosh(x), so r may be
 * off at the ends and needs few terms: r = x (1 - x² N(x²) / D(x²)), N and D of degrees 2 and 3 with D(0) = 1 and
 * N(0) = 1/12. The coefficients are a weighted rational least-squares fit with Lawson's reweighting towards minimax (in
 * 50 digits, weight 1/cosh(x), 0 &lt; x &lt; 9.1); its own error is below 0.01 ulp, the rest is rounding. As x minus a small
 * part and not as one quotient, because that rounds better where tanh(x) is near x.
 */
final class Tanh {
    /** Here the formula gives 1, exactly; tanh itself rounds to 1 from 9.011 on. */
    private static final float SATURATED = 9.5f;

    /**
     * Lengths of loops that C2 knows when it compiles them. It unrolls and vectorises a loop as its first runs suggest, so a
     * loop of any length that met short rows first would be slow on long ones for good. Each on a slice of its own: C2
     * vectorises over a direct buffer only from an index that it knows.
     */
    private static final int LONG = 1024;

    private static final int SHORT = 64;

    /**
     * What is left goes through a block, in one loop that is long enough: a loop's way in and out takes as long as 200
     * elements, and an element by itself as long as 14. A direct block, because C2 does not vectorise the same loop over an
     * array every time.
     */
    static final int BLOCK = 512;

    private static final int FEW = 12;

    private static final float N0 = 0.083333336f;
    private static final float N1 = 0.0012519305f;
    private static final float N2 = 2.8043366e-6f;
    private static final float D1 = 0.11502315f;
    private static final float D2 = 0.0014169249f;
    private static final float D3 = 2.8990298e-6f;

    private Tanh() {}

    /**
     * Elements {@code from} to {@code from + count} - 1 become their tanh.
     *
     * @param block at least {@link #BLOCK} long and direct; void afterwards
     */
    static void apply(FloatBuffer values, int from, int count, FloatBuffer block) {
        int end = from + count;
        int at = from;
        for (; at <= end - LONG; at += LONG) applyLong(values.slice(at, LONG));
        if (end - at == SHORT) { // as long as a loop, so no block is needed
            applyShort(values.slice(at, SHORT));
            return;
        }
        while (end - at > FEW) {
            int some = Math.min(BLOCK, end - at);
            block.put(0, values, at, some);
            applyBlock(block, some);
            values.put(at, block, 0, some);
            at += some;
        }
        for (; at < end; at++) values.put(at, of(values.get(at)));
    }

    private static void applyLong(FloatBuffer values) {
        for (int i = 0; i < LONG; i++) values.put(i, of(values.get(i)));
    }

    private static void applyShort(FloatBuffer values) {
        for (int i = 0; i < SHORT; i++) values.put(i, of(values.get(i)));
    }

    /** The first {@code count} and some more. */
    private static void applyBlock(FloatBuffer block, int count) {
        if (count <= 32) apply32(block.slice(0, 32));
        else if (count <= 64) apply64(block.slice(0, 64));
        else if (count <= 128) apply128(block.slice(0, 128));
        else if (count <= 256) apply256(block.slice(0, 256));
        else apply512(block.slice(0, BLOCK));
    }

    private static void apply32(FloatBuffer block) {
        for (int i = 0; i < 32; i++) block.put(i, of(block.get(i)));
    }

    private static void apply64(FloatBuffer block) {
        for (int i = 0; i < 64; i++) block.put(i, of(block.get(i)));
    }

    private static void apply128(FloatBuffer block) {
        for (int i = 0; i < 128; i++) block.put(i, of(block.get(i)));
    }

    private static void apply256(FloatBuffer block) {
        for (int i = 0; i < 256; i++) block.put(i, of(block.get(i)));
    }

    private static void apply512(FloatBuffer block) {
        for (int i = 0; i < BLOCK; i++) block.put(i, of(block.get(i)));
    }

    private static float of(float value) {
        float x = Math.max(-SATURATED, Math.min(SATURATED, value));
        float s = x * x;
        float r = x * (1 - s * (N0 + s * (N1 + s * N2)) / (1 + s * (D1 + s * (D2 + s * D3))));
        return r / (1 + 0.25f * r * r);
    }
}
