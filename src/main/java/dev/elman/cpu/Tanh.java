package dev.elman.cpu;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
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
@SuppressWarnings("UnusedMethod") // by name only
final class Tanh {
    /** Here the formula gives 1, exactly; tanh itself rounds to 1 from 9.011 on. */
    private static final float SATURATED = 9.5f;

    /**
     * Loops over the first 2^5 to 2^10 elements of a direct buffer. C2 unrolls and vectorises a loop as its first runs
     * suggest, so a loop of any length that met short rows first would be slow on long ones for good: each has a length that
     * C2 knows. Of two loops that it inlines into one method it vectorises only one: so they are called by way of handles,
     * which as elements of an array are no constants to it, and what is not constant it cannot inline. And of a direct
     * buffer, from an index that it knows: over arrays it missed it now and then.
     */
    private static final MethodHandle[] LOOPS = {
        loop("apply32"), loop("apply64"), loop("apply128"), loop("apply256"), loop("apply512"), loop("apply1024")
    };

    private static final int SHORTEST = 32;
    private static final int LONGEST = 1024;

    /**
     * What fits no loop goes through a block, in one loop that is long enough: a loop's way in and out takes as long as 200
     * elements, and an element by itself as long as 14.
     */
    static final int BLOCK = LONGEST;

    private static final int FEW = 12;

    private static final float N0 = 0.083333336f;
    private static final float N1 = 0.0012519305f;
    private static final float N2 = 2.8043366e-6f;
    private static final float D1 = 0.11502315f;
    private static final float D2 = 0.0014169249f;
    private static final float D3 = 2.8990298e-6f;

    private Tanh() {}

    private static MethodHandle loop(String name) {
        try {
            MethodType type = MethodType.methodType(void.class, FloatBuffer.class);
            return MethodHandles.lookup().findStatic(Tanh.class, name, type);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("There is no loop " + name + ".", e);
        }
    }

    /**
     * Elements {@code from} to {@code from + count} - 1 become their tanh.
     *
     * @param block at least {@link #BLOCK} long and direct; void afterwards
     */
    static void apply(FloatBuffer values, int from, int count, FloatBuffer block) {
        int end = from + count;
        int at = from;
        for (; at <= end - LONGEST; at += LONGEST) run(LOOPS.length - 1, values.slice(at, LONGEST));
        int rest = end - at;
        if (rest > FEW) {
            int number = Integer.SIZE - Integer.numberOfLeadingZeros((rest - 1) / SHORTEST);
            if (rest == SHORTEST << number) {
                run(number, values.slice(at, rest));
                return;
            }
            block.put(0, values, at, rest);
            run(number, block);
            values.put(at, block, 0, rest);
            return;
        }
        for (; at < end; at++) values.put(at, of(values.get(at)));
    }

    private static void run(int number, FloatBuffer values) {
        try {
            LOOPS[number].invokeExact(values);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("A loop throws nothing checked.", e);
        }
    }

    private static void apply32(FloatBuffer values) {
        for (int i = 0; i < 32; i++) values.put(i, of(values.get(i)));
    }

    private static void apply64(FloatBuffer values) {
        for (int i = 0; i < 64; i++) values.put(i, of(values.get(i)));
    }

    private static void apply128(FloatBuffer values) {
        for (int i = 0; i < 128; i++) values.put(i, of(values.get(i)));
    }

    private static void apply256(FloatBuffer values) {
        for (int i = 0; i < 256; i++) values.put(i, of(values.get(i)));
    }

    private static void apply512(FloatBuffer values) {
        for (int i = 0; i < 512; i++) values.put(i, of(values.get(i)));
    }

    private static void apply1024(FloatBuffer values) {
        for (int i = 0; i < 1024; i++) values.put(i, of(values.get(i)));
    }

    private static float of(float value) {
        float x = Math.max(-SATURATED, Math.min(SATURATED, value));
        float s = x * x;
        float r = x * (1 - s * (N0 + s * (N1 + s * N2)) / (1 + s * (D1 + s * (D2 + s * D3))));
        return r / (1 + 0.25f * r * r);
    }
}
