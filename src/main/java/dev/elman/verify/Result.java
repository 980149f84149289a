package dev.elman.verify;

/**
 * What one check found out about one quantity.
 *
 * @param backend name of the backend that was judged
 * @param operation method of the seam
 * @param quantity which output or which promise, such as {@code dwx} or {@code inputs unchanged}
 * @param shape sizes by letter, such as {@code T=7 N=33 D=5 H=31}
 * @param variant what else was particular about the call, such as {@code tanh, reverse, left padding}
 * @param worstError largest distance from what is expected; infinite where a number is not finite that should be; for a
 *     promise, 1 if it was broken
 * @param tolerance largest error that passes
 * @param passed whether it did
 * @param message empty if passed, else what is wrong, with the seed that brings it back
 */
public record Result(
        String backend,
        String operation,
        String quantity,
        String shape,
        String variant,
        double worstError,
        double tolerance,
        boolean passed,
        String message) {

    /** Error in units of the tolerance: up to 1 passes. */
    public double ratio() {
        return worstError == 0 ? 0 : worstError / tolerance;
    }
}
