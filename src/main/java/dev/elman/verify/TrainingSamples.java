package dev.elman.verify;

import dev.elman.backend.AdamStep;
import dev.elman.backend.Constraint;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Clipping and optimizer steps, on flat tensors. */
final class TrainingSamples {
    /** The last but one is enough for several workers or many blocks. */
    private static final int[] SIZES = {1, 5, 33, 1023, 100_003, 0};

    private TrainingSamples() {}

    static List<Sample> all() {
        List<Sample> samples = new ArrayList<>();
        for (int size : SIZES) {
            samples.add(clipValue(size));
            for (double share : new double[] {.5, 2, Double.POSITIVE_INFINITY})
                samples.add(clipGlobalNorm(size, share));
            samples.add(sgd(new SgdStep(.1, 0, false, 0), size, false));
            samples.add(sgd(new SgdStep(.1, 0, false, .01), size, true));
            samples.add(sgd(new SgdStep(.1, .9, false, .01), size, true));
            samples.add(sgd(new SgdStep(.1, .9, true, .01), size, true));
            for (long step : new long[] {1, 2, 1000, 5_000_000_000L}) {
                samples.add(adam(new AdamStep(.01, .9, .999, 1e-8, 0, false, step), size));
                samples.add(adam(new AdamStep(.01, .9, .999, 1e-8, .1, step % 2 == 0, step), size));
                samples.add(adam(new AdamStep(.01, .9, .999, 1e-8, .1, step % 2 == 1, step), size));
            }
        }
        for (int size : SIZES) {
            samples.add(penalty(size, .25, 0));
            samples.add(penalty(size, 0, .25));
            samples.add(penalty(size, .5, .125));
        }
        int[][] matrices = {{1, 1}, {5, 3}, {33, 31}, {100, 100}, {3, 1001}, {1000, 33}, {0, 5}, {5, 0}};
        Constraint[] constraints = {
            Constraint.maxNorm(.5), Constraint.maxNorm(4), Constraint.unitNorm(), Constraint.nonNegative()
        };
        for (Constraint constraint : constraints) {
            for (int[] size : matrices) samples.add(constrain(constraint, size));
            samples.add(constrain(constraint, 33));
        }
        samples.add(clipValueOfNaN());
        samples.add(clipGlobalNormOfNaN());
        for (double maxNorm : new double[] {1e-4, 1e-8}) samples.add(clipGlobalNormOfHuge(1023, maxNorm));
        samples.add(constrainTiny(33, 31));
        samples.add(adamOfHuge(1023));
        return samples;
    }

    static List<Sample> specimens() {
        return List.of(
                clipValue(12),
                clipGlobalNorm(12, .5),
                penalty(12, .5, .125),
                constrain(Constraint.maxNorm(.5), 4, 3),
                sgd(new SgdStep(.1, .9, true, .01), 12, true),
                adam(new AdamStep(.01, .9, .999, 1e-8, .1, true, 3), 12));
    }

    private static Sample clipValue(int size) {
        return Sample.of("clipValue", size(size), "", trial -> {
                    Tensor g = trial.updated("g", Shape.of(size), Tolerance.EXACT);
                    return backend -> backend.clipValue(g, .25);
                })
                .withFree("g.0");
    }

    private static Sample clipValueOfNaN() {
        return Sample.of("clipValue", size(5), "infinite and NaN", trial -> {
                    trial.allowNonFinite();
                    double[] values = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1, -.125};
                    Tensor g = trial.updated("g", Shape.of(5), values, Tolerance.EXACT);
                    return backend -> backend.clipValue(g, .25);
                })
                .withFree("g.0");
    }

    /** A norm that is NaN makes every element NaN: a broken gradient must not look healthy. */
    private static Sample clipGlobalNormOfNaN() {
        return Sample.of("clipGlobalNorm", size(5), "NaN", trial -> {
                    trial.allowNonFinite();
                    double[] values = {1, -2, Double.NaN, .5, 0};
                    Tensor g = trial.updated("g", Shape.of(5), values, Tolerance.ofTerms(5));
                    Tensor norm = trial.output("norm", Shape.of(1), Tolerance.ofTerms(5));
                    return backend -> backend.clipGlobalNorm(g, 1, norm);
                })
                .withFree("g.0");
    }

    /** {@code share}: the allowed norm in units of the one to be expected; above 1 nothing is to be clipped. */
    private static Sample clipGlobalNorm(int size, double share) {
        double maxNorm = share * Math.sqrt(Math.max(size, 1) / 3.0);
        return Sample.of("clipGlobalNorm", size(size), "maxNorm " + (float) maxNorm, trial -> {
                    Tensor g = trial.updated("g", Shape.of(size), Tolerance.ofTerms(size + 1L));
                    Tensor norm = trial.output("norm", Shape.of(1), Tolerance.ofTerms(size + 1L));
                    return backend -> backend.clipGlobalNorm(g, maxNorm, norm);
                })
                .withFree("g.0");
    }

    /** By a factor that is less than the smallest float with all its digits, or than any. */
    private static Sample clipGlobalNormOfHuge(int size, double maxNorm) {
        return Sample.of("clipGlobalNorm", size(size), "huge, maxNorm " + maxNorm, trial -> {
                    Tolerance tolerance = new Tolerance(size + 1L, 0);
                    Tensor g = trial.replaced("g", Shape.of(size), trial.uniform(size, 1e37), tolerance);
                    Tensor norm = trial.output("norm", Shape.of(1), tolerance);
                    return backend -> backend.clipGlobalNorm(g, maxNorm, norm);
                })
                .withFree("g.0");
    }

    /** Some weights are 0, whose sign is 0. */
    private static Sample penalty(int size, double l1, double l2) {
        return Sample.of("addPenaltyGradient", size(size), "l1 " + l1 + ", l2 " + l2, trial -> {
            Tensor w = trial.input("w", Shape.of(size), trial.coarse(size));
            Tensor g = trial.updated("g", Shape.of(size), Tolerance.ofTerms(4));
            return backend -> backend.addPenaltyGradient(w, l1, l2, g);
        });
    }

    /** One column in three is short, and one in four is zeros. */
    private static Sample constrain(Constraint constraint, int... extents) {
        Shape shape = Shape.of(extents);
        int columns = extents.length == 1 ? 1 : extents[1];
        String variant = constraint.kind() + " " + constraint.limit();
        return Sample.of("constrain", "w=" + shape, variant, trial -> {
                    double[] values = trial.uniform(shape.size(), 1);
                    for (int i = 0; i < values.length; i++) {
                        int column = i % columns;
                        if (columns > 1 && column % 4 == 1) values[i] = 0;
                        else if (column % 3 == 2) values[i] = (float) (values[i] / 64);
                    }
                    Tensor w = trial.updated("w", shape, values, Tolerance.ofTerms(extents[0] + 2L));
                    return backend -> backend.constrain(constraint, w);
                })
                .withFree("w.0", "w.1");
    }

    /** By factors that are more than the largest float. */
    private static Sample constrainTiny(int m, int c) {
        Constraint constraint = Constraint.unitNorm();
        return Sample.of("constrain", "w=" + Shape.of(m, c), constraint.kind() + ", tiny", trial -> {
                    double[] values = trial.uniform((long) m * c, 1e-40);
                    Tensor w = trial.updated("w", Shape.of(m, c), values, Tolerance.ofTerms(m + 2L));
                    return backend -> backend.constrain(constraint, w);
                })
                .withFree("w.0", "w.1");
    }

    private static Sample sgd(SgdStep step, int size, boolean withVelocity) {
        String variant = "momentum " + step.momentum() + ", weight decay " + step.weightDecay()
                + (step.nesterov() ? ", nesterov" : "") + (withVelocity ? "" : ", no velocity");
        return Sample.of("sgdStep", size(size), variant, trial -> {
            Tensor w = trial.updated("w", Shape.of(size), Tolerance.ofTerms(6));
            Tensor g = trial.input("g", Shape.of(size));
            Tensor velocity = withVelocity ? trial.updated("velocity", Shape.of(size), Tolerance.ofTerms(4)) : null;
            return backend -> backend.sgdStep(step, w, g, velocity);
        });
    }

    /** At step 1 the moments are 0, as they are then. */
    private static Sample adam(AdamStep step, int size) {
        String variant = "step " + step.step() + ", weight decay " + step.weightDecay()
                + (step.decoupled() ? ", decoupled" : ", coupled");
        return Sample.of("adamStep", size(size), variant, trial -> {
            double used = step.step() == 1 ? 0 : 1;
            double[] mean = trial.uniform(size, .1 * used);
            double[] square = trial.uniform(size, .5 * used);
            for (int i = 0; i < size; i++) square[i] = (float) (.501 * used + square[i]);
            Tensor w = trial.updated("w", Shape.of(size), Tolerance.ofTerms(12));
            Tensor g = trial.input("g", Shape.of(size));
            Tensor m = trial.updated("m", Shape.of(size), mean, Tolerance.ofTerms(4));
            Tensor v = trial.updated("v", Shape.of(size), square, Tolerance.ofTerms(4));
            return backend -> backend.adamStep(step, w, g, m, v);
        });
    }

    /** Squares that a float holds, though not once they are corrected. */
    private static Sample adamOfHuge(int size) {
        AdamStep step = new AdamStep(.01, .9, .999, 1e-8, 0, false, 1);
        return Sample.of("adamStep", size(size), "huge gradients", trial -> {
            Tensor w = trial.updated("w", Shape.of(size), Tolerance.ofTerms(12));
            Tensor g = trial.input("g", Shape.of(size), trial.uniform(size, 5e20));
            Tensor m = trial.updated("m", Shape.of(size), new double[size], Tolerance.ofTerms(4));
            Tensor v = trial.updated("v", Shape.of(size), new double[size], Tolerance.ofTerms(4));
            return backend -> backend.adamStep(step, w, g, m, v);
        });
    }

    private static String size(int size) {
        return "size=" + size;
    }
}
