package dev.elman.train;

/** What the learning rate is multiplied by at each step. */
@FunctionalInterface
public interface LearningRateSchedule {
    /**
     * The factor of one step, at least 0; the same whenever it is asked for.
     *
     * @param step counted from 0
     * @param total steps of the whole training
     */
    double factor(long step, long total);

    /** Always 1. */
    static LearningRateSchedule constant() {
        return (step, total) -> 1;
    }

    /** Multiplied by {@code factor} each time another {@code share} of the training is done. */
    static LearningRateSchedule stepDecay(double factor, double share) {
        Require.below(Double.POSITIVE_INFINITY, "stepDecay: factor", factor);
        Require.positive("stepDecay: share", share);
        // A little more, for 0.1 * 6 is a little more than 0.6: else the step at the half would come one late.
        return (step, total) -> Math.pow(factor, Math.floor(step / (share * total) * (1 + 1e-12)));
    }

    /** Falls in a straight line from 1 to 0. */
    static LearningRateSchedule linear() {
        return (step, total) -> 1 - (double) step / total;
    }

    /** Falls along half a cosine from 1 to 0 (Loshchilov and Hutter 2017). */
    static LearningRateSchedule cosine() {
        return (step, total) -> 0.5 * (1 + Math.cos(Math.PI * step / total));
    }

    /** Rises in a straight line over the first {@code share} of the training; the rest is this schedule. */
    default LearningRateSchedule withWarmup(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException(
                    "withWarmup: share must be at least 0 and at most 1, but is " + share + ".");
        }
        return (step, total) -> {
            double warm = share * total;
            return step < warm
                    ? (step + 1) / (warm + 1)
                    : factor((long) (step - warm), (long) Math.max(1, total - warm));
        };
    }
}
