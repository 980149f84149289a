package dev.elman.verify;

/**
 * How far a result may be from the reference: {@link #K} * unit roundoff * sqrt(terms) * magnitude.
 *
 * <p>A sum of n terms passes through n roundings. Each is off by at most u times the partial sum, by about u / sqrt(3) in
 * the root mean square, and their signs are as good as random, so that the error of the whole is near 0.6 * u * sqrt(n) *
 * magnitude and not the n * u * magnitude of the worst case (Higham and Mary, "A new approach to probabilistic rounding
 * error analysis", SISC 2019). A full run looks at some ten million numbers, and the largest of so many normal ones is
 * below 6 standard deviations: 6 * 0.6 = 3.6. K is twice that and a little, for what is not a sum: a tanh or an exp that
 * is off by two units in the last place. A wrong formula is wrong by thousands of that.
 *
 * @param terms roundings on the way to one element: the terms of its sum, those of the sums it is made from, the steps of
 *     the recurrence included; 0 when the element must be exact
 * @param magnitude size of what was summed, where the result itself may be small by cancellation
 */
public record Tolerance(long terms, double magnitude) {
    /** See above; the only free choice, the same for every operation and every backend. */
    public static final double K = 8;

    /** Not a single bit off. */
    public static final Tolerance EXACT = new Tolerance(0, 0);

    /** Throws {@link IllegalArgumentException} for negative terms, or a magnitude that is negative, infinite or NaN. */
    public Tolerance {
        if (terms < 0 || !(magnitude >= 0) || Double.isInfinite(magnitude)) {
            throw new IllegalArgumentException("A tolerance needs terms >= 0 and a finite magnitude >= 0, but has "
                    + terms + " and " + magnitude + ".");
        }
    }

    /** For results that sum {@code terms} terms of order 1. */
    public static Tolerance ofTerms(long terms) {
        return new Tolerance(terms, 1);
    }

    /**
     * The largest error that passes.
     *
     * @param unitRoundoff of the backend that is judged
     * @param seen largest finite magnitude among the expected results and what was there before
     */
    public double bound(double unitRoundoff, double seen) {
        return K * unitRoundoff * Math.sqrt((double) terms) * Math.max(magnitude, seen);
    }

    /**
     * The distance of a result from what is expected. Infinite as soon as one of them is not finite, unless
     * {@code nonFinite} allows that and both are the same infinity or both NaN.
     */
    public static double error(double expected, double given, boolean nonFinite) {
        if (Double.isFinite(expected) && Double.isFinite(given)) return Math.abs(expected - given);
        boolean same = Double.isNaN(expected) ? Double.isNaN(given) : expected == given;
        return nonFinite && same ? 0 : Double.POSITIVE_INFINITY;
    }
}
