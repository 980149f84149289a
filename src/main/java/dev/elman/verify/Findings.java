package dev.elman.verify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Collects what a check finds. */
final class Findings {
    private final Check check;
    private final String backend;
    private final double unitRoundoff;
    private final List<Result> results = new ArrayList<>();

    Findings(Check check, String backend, double unitRoundoff) {
        this.check = check;
        this.backend = backend;
        this.unitRoundoff = unitRoundoff;
    }

    /** Judges an output; {@code before} is what was there before the call, or null. */
    void compare(
            String quantity,
            double[] expected,
            double[] given,
            double[] before,
            Tolerance tolerance,
            boolean nonFinite) {
        if (expected.length != given.length) {
            require(quantity, false, "has " + given.length + " elements instead of " + expected.length);
            return;
        }
        double seen = before == null ? 0 : largest(before);
        double bound = tolerance.bound(unitRoundoff, Math.max(seen, largest(expected)));
        double worst = 0;
        int at = -1;
        for (int i = 0; i < expected.length; i++) {
            double error = Tolerance.error(expected[i], given[i], nonFinite);
            if (error > worst) {
                worst = error;
                at = i;
            }
        }
        boolean passed = worst <= bound;
        add(
                quantity,
                worst,
                bound,
                passed,
                passed ? "" : "element " + at + " is " + given[at] + " and should be " + expected[at]);
    }

    /** Demands the same bits. */
    void sameBits(String quantity, double[] expected, double[] given) {
        int at = Arrays.mismatch(expected, given);
        require(
                quantity,
                at < 0,
                at < 0 ? "" : "element " + at + " is " + given[at] + " and not, to the bit, " + expected[at]);
    }

    void require(String quantity, boolean kept, String detail) {
        add(quantity, kept ? 0 : 1, 0, kept, detail);
    }

    private void add(String quantity, double worst, double bound, boolean passed, String detail) {
        String message = passed ? "" : message(quantity, worst, bound, detail);
        results.add(new Result(
                backend, check.operation(), quantity, check.shape(), check.variant(), worst, bound, passed, message));
    }

    private String message(String quantity, double worst, double bound, String detail) {
        return String.format(
                Locale.ROOT,
                "%s, %s: %s: %s (worst error %.3g, tolerance %.3g, seed %d)",
                backend,
                check.name(),
                quantity,
                detail,
                worst,
                bound,
                check.seed());
    }

    private static double largest(double[] values) {
        double largest = 0;
        for (double value : values) {
            if (Double.isFinite(value)) largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    List<Result> results() {
        return List.copyOf(results);
    }
}
