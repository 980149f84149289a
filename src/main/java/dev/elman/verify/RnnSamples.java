package dev.elman.verify;

import dev.elman.backend.Activation;
import dev.elman.backend.SimpleRnnForward;
import java.util.ArrayList;
import java.util.List;

/**
 * Both passes of the recurrence: every size with every activation, with and without a mask, and once with recurrent dropout; the
 * rest takes turns.
 */
final class RnnSamples {
    private static final int[] T = {1, 2, 7};
    private static final int[] N = {1, 3, 33};
    private static final int[] D = {1, 5, 31, 33, 100};
    private static final int[] H = {1, 5, 31, 33, 100};
    private static final List<Activation> ACTIVATIONS = List.of(Activation.values());
    private static final Masks[] MASKS = {Masks.RIGHT, Masks.LEFT, Masks.HOLES};

    /** Sizes as in use, shapes of one kind only, and nothing at all. */
    private static final int[][] OTHERS = {
        {32, 16, 64, 128}, {20, 2, 3, 7}, {3, 64, 8, 16}, {1, 256, 16, 32}, {0, 3, 5, 5}, {7, 0, 5, 5}, {0, 0, 1, 1}
    };

    /** Each activation with and without a mask, and one with recurrent dropout. */
    private static final int CASES_OF_A_SIZE = 7;

    /** One of so many cases is run in both directions at once. It divides neither the cases of a size nor the sizes. */
    private static final int EACH = 11;

    private RnnSamples() {}

    static List<Sample> all() {
        List<RnnCase> cases = cases();
        List<Sample> samples = new ArrayList<>();
        for (Activation activation : Activation.values()) samples.add(wild(activation));
        for (RnnCase one : cases) samples.add(one.forwardSample());
        for (RnnCase one : cases) samples.add(one.backwardSample());
        for (RnnCase one : inBothDirections(cases)) samples.add(one.bothForwardSample());
        for (RnnCase one : inBothDirections(cases)) samples.add(one.bothBackwardSample());
        return samples;
    }

    static List<Sample> specimens() {
        return List.of(
                ordinary().forwardSample(),
                ordinary().backwardSample(),
                ordinary().bothForwardSample(),
                ordinary().bothBackwardSample());
    }

    /** Some of the full cross, and all of the others. */
    private static List<RnnCase> inBothDirections(List<RnnCase> cases) {
        List<RnnCase> some = new ArrayList<>();
        int crossed = T.length * N.length * D.length * H.length * CASES_OF_A_SIZE;
        for (int i = 0; i < cases.size(); i += i < crossed ? EACH : 1) some.add(cases.get(i));
        return some;
    }

    /** One case with all that a recurrence can have. */
    static RnnCase ordinary() {
        return new RnnCase(7, 3, 5, 4, Activation.TANH, false, Masks.HOLES, true, true);
    }

    private static List<RnnCase> cases() {
        List<RnnCase> cases = new ArrayList<>();
        int turn = 0;
        for (int t : T) {
            for (int n : N) {
                for (int d : D) {
                    for (int h : H) addAll(cases, t, n, d, h, turn++);
                }
            }
        }
        for (int[] size : OTHERS) addAll(cases, size[0], size[1], size[2], size[3], turn++);
        for (Activation activation : Activation.values()) {
            cases.add(new RnnCase(5, 3, 4, 6, activation, activation == Activation.RELU, Masks.ALL, true, true));
        }
        return cases;
    }

    private static void addAll(List<RnnCase> cases, int t, int n, int d, int h, int turn) {
        int shift = 0;
        for (Activation activation : Activation.values()) {
            for (boolean masked : new boolean[] {false, true}) {
                boolean reverse = (turn + shift + (masked ? 1 : 0)) % 2 == 1;
                boolean bias = (turn / 2 + shift) % 3 != 0;
                boolean inputGradient = (turn / 3 + shift) % 4 != 0;
                Masks masks = masked ? MASKS[(turn + shift) % MASKS.length] : Masks.NONE;
                cases.add(new RnnCase(t, n, d, h, activation, reverse, masks, bias, inputGradient));
            }
            shift++;
        }
        addDropped(cases, t, n, d, h, turn);
    }

    /** One case for each size with recurrent dropout. */
    private static void addDropped(List<RnnCase> cases, int t, int n, int d, int h, int turn) {
        Activation activation = ACTIVATIONS.get(turn % ACTIVATIONS.size());
        Masks masks = turn % 2 == 0 ? Masks.NONE : MASKS[turn / 2 % MASKS.length];
        RnnCase one = new RnnCase(t, n, d, h, activation, turn / 3 % 2 == 1, masks, turn % 5 != 0, turn % 7 != 0);
        cases.add(one.withRecurrentDropout(turn % 4 == 0 ? .1 : .5));
    }

    /** Inputs that are huge, infinite or not a number: what they give passes through, other rows do not notice. */
    private static Sample wild(Activation activation) {
        RnnCase one = new RnnCase(3, 7, 5, 4, activation, false, Masks.NONE, true, true);
        return Sample.of("simpleRnnForward", one.shape(), one.variant() + ", infinite and NaN input", trial -> {
            trial.allowNonFinite();
            double[] input = trial.uniform((long) one.t() * one.n() * one.d(), 1);
            int step = one.n() * one.d();
            input[0] = Double.NaN;
            input[one.d()] = Double.POSITIVE_INFINITY;
            input[step + 2 * one.d()] = Double.NEGATIVE_INFINITY;
            if (activation == Activation.TANH) input[step + 3 * one.d()] = 0x1p100;
            SimpleRnnForward forward = one.forward(trial, input);
            return backend -> backend.simpleRnnForward(forward);
        });
    }
}
