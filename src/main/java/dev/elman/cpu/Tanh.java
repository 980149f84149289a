package dev.elman.cpu;

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

    private static final float N0 = 0.083333336f;
    private static final float N1 = 0.0012519305f;
    private static final float N2 = 2.8043366e-6f;
    private static final float D1 = 0.11502315f;
    private static final float D2 = 0.0014169249f;
    private static final float D3 = 2.8990298e-6f;

    private Tanh() {}

    /** The first {@code count} elements become their tanh. */
    static void apply(float[] values, int count) {
        for (int i = 0; i < count; i++) {
            float x = Math.max(-SATURATED, Math.min(SATURATED, values[i]));
            float s = x * x;
            float r = x * (1 - s * (N0 + s * (N1 + s * N2)) / (1 + s * (D1 + s * (D2 + s * D3))));
            values[i] = r / (1 + 0.25f * r * r);
        }
    }
}
