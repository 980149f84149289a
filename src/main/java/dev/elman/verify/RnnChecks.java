package dev.elman.verify;

import dev.elman.backend.Activation;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a recurrence promises beyond its formula: steps give the sequence's bits, masked steps are as good as absent. */
final class RnnChecks {
    private RnnChecks() {}

    static List<Check> all() {
        List<Check> checks = new ArrayList<>();
        int[][] sizes = {{7, 3, 5, 4}, {7, 33, 31, 33}, {2, 1, 100, 100}, {20, 16, 64, 128}, {3, 5, 1, 1}};
        for (int[] size : sizes) {
            for (Activation activation : Activation.values()) {
                boolean reverse = (size[1] + checks.size() / 8) % 2 == 0;
                Masks masks = size[0] == 7 ? Masks.HOLES : Masks.NONE;
                RnnCase one = new RnnCase(size[0], size[1], size[2], size[3], activation, reverse, masks, true, true);
                checks.add(check("simpleRnnForward", one, "step by step", RnnChecks::forwardStepByStep));
                checks.add(check("simpleRnnBackward", one, "step by step", RnnChecks::backwardStepByStep));
                checks.add(check("simpleRnnForward", one, "padding cut off", RnnChecks::paddingIsAbsence));
                checks.add(check("simpleRnnForward", one, "input of masked steps", RnnChecks::maskedInputIsIgnored));
                RnnCase dropped = one.withRecurrentDropout(.4);
                checks.add(check("simpleRnnForward", dropped, "step by step", RnnChecks::forwardStepByStep));
                checks.add(check("simpleRnnBackward", dropped, "step by step", RnnChecks::backwardStepByStep));
                checks.add(check("simpleRnnForward", dropped, "rows split over two calls", RnnChecks::splitRows));
                RnnCase nothing = one.withRecurrentDropout(0);
                checks.add(check("simpleRnnForward", nothing, "as without", RnnChecks::dropoutOfNothing));
            }
        }
        RnnCase ordinary = RnnSamples.ordinary();
        checks.add(check("bidirectionalForward", ordinary, "directions that do not fit", RnnChecks::misfitsRefused));
        checks.add(check("bidirectionalBackward", ordinary, "directions that do not fit", RnnChecks::misfitsRefused));
        return checks;
    }

    /** Two directions of a layer differ in their way, and in neither activation nor mask. */
    private static void misfitsRefused(RnnCase one, Check check, Bench bench, Findings findings) {
        try (Trial trial = bench.trial(check)) {
            SimpleRnnBackward first = one.backward(trial);
            SimpleRnnBackward second = one.backward(trial);
            IntTensor mask = first.forward().pass().mask();
            List<SimpleRnnPass> misfits = List.of(
                    new SimpleRnnPass(one.activation(), one.reverse(), mask),
                    new SimpleRnnPass(Activation.LINEAR, !one.reverse(), mask),
                    new SimpleRnnPass(one.activation(), !one.reverse(), null));
            for (SimpleRnnPass misfit : misfits) {
                SimpleRnnForward forward = second.forward();
                SimpleRnnForward bent = new SimpleRnnForward(forward.weights(), misfit, forward.x(), forward.h());
                Runnable call = check.operation().equals("bidirectionalForward")
                        ? () -> bench.tested().bidirectionalForward(first.forward(), bent)
                        : () -> bench.tested()
                                .bidirectionalBackward(
                                        first,
                                        new SimpleRnnBackward(bent, second.dh(), second.dx(), second.gradients()));
                Promises.refused(findings, "misfits refused", misfit.toString(), call, IllegalArgumentException.class);
            }
            trial.operands().forEach(operand -> operand.judgeUntouched(findings));
        }
    }

    private interface Question {
        void ask(RnnCase one, Check check, Bench bench, Findings findings);
    }

    private static Check check(String operation, RnnCase one, String what, Question question) {
        return new Check(
                operation,
                one.shape(),
                what + ", " + one.variant(),
                (check, bench, findings) -> question.ask(one, check, bench, findings));
    }

    /** A sequence that is run by slices of one step has the states of the whole, to the bit if the backend promises that. */
    private static void forwardStepByStep(RnnCase one, Check check, Bench bench, Findings findings) {
        try (Trial whole = bench.trial(check);
                Trial steps = bench.trial(check)) {
            SimpleRnnForward expected = one.forward(whole);
            bench.tested().simpleRnnForward(expected);
            SimpleRnnForward split = one.forward(steps);
            for (int step = 0; step < one.t(); step++)
                bench.tested().simpleRnnForward(step(one, split, runsAt(one, step)));
            if (bench.tested().sameBitsByStep()) {
                findings.sameBits(
                        "h by steps", expected.h().toDoubles(), split.h().toDoubles());
                return;
            }
            compare(findings, "h by steps", expected.h(), split.h(), null, ofTwoRuns(one));
        }
    }

    /** The same for its gradients: da to the bit; what sums over steps sums in another order. */
    private static void backwardStepByStep(RnnCase one, Check check, Bench bench, Findings findings) {
        try (Trial whole = bench.trial(check);
                Trial steps = bench.trial(check)) {
            SimpleRnnBackward expected = one.backward(whole);
            double[] before = expected.gradients().wh().toDoubles();
            bench.tested().simpleRnnBackward(expected);
            SimpleRnnBackward split = one.backward(steps);
            for (int step = one.t() - 1; step >= 0; step--) {
                int t = runsAt(one, step);
                Tensor dx = split.dx().slice(t, 1);
                bench.tested()
                        .simpleRnnBackward(new SimpleRnnBackward(
                                step(one, split.forward(), t), split.dh().slice(t, 2), dx, split.gradients()));
            }
            findings.sameBits(
                    "dh by steps", expected.dh().toDoubles(), split.dh().toDoubles());
            Tolerance summed = Tolerance.ofTerms(2L * one.t() * one.n());
            compare(findings, "dx by steps", expected.dx(), split.dx(), null, Tolerance.ofTerms(2L * one.h()));
            SimpleRnnWeights atOnce = expected.gradients();
            SimpleRnnWeights added = split.gradients();
            compare(findings, "dwx by steps", atOnce.wx(), added.wx(), before, summed);
            compare(findings, "dwh by steps", atOnce.wh(), added.wh(), before, summed);
            compare(findings, "db by steps", atOnce.b(), added.b(), before, summed);
        }
    }

    private static void compare(
            Findings findings, String name, Tensor expected, Tensor given, double[] before, Tolerance tolerance) {
        findings.compare(name, expected.toDoubles(), given.toDoubles(), before, tolerance, false);
    }

    /** For states beside those of another run: both are off, hence twice the terms. */
    private static Tolerance ofTwoRuns(RnnCase one) {
        return Tolerance.ofTerms(2L * one.t() * (one.d() + one.h() + 1));
    }

    private static int runsAt(RnnCase one, int step) {
        return one.reverse() ? one.t() - 1 - step : step;
    }

    /** Step t alone: its input, the slots before and after it, its row of the mask. */
    private static SimpleRnnForward step(RnnCase one, SimpleRnnForward whole, int t) {
        IntTensor mask = whole.pass().mask();
        IntTensor live = mask == null ? null : mask.view((long) t * one.n(), Shape.of(1, one.n()));
        return new SimpleRnnForward(
                whole.weights(),
                one.pass(live),
                whole.x().slice(t, 1),
                whole.h().slice(t, 2));
    }

    /** Right padding after a row's last live step: the row's states are those of the shorter sequence, then stay. */
    private static void paddingIsAbsence(RnnCase one, Check check, Bench bench, Findings findings) {
        int length = one.t() / 2;
        try (Trial trial = bench.trial(check)) {
            SimpleRnnWeights weights = weights(one, trial);
            Tensor x = trial.input("x", Shape.of(one.t(), one.n(), one.d()));
            Tensor initial = trial.input("h0", Shape.of(1, one.n(), one.h()));
            int[] live = new int[one.t() * one.n()];
            Arrays.fill(live, 0, length * one.n(), 1);
            IntTensor mask = trial.ints("mask", Shape.of(one.t(), one.n()), live);
            Tensor padded = trial.output("h", Shape.of(one.t() + 1, one.n(), one.h()), Tolerance.EXACT);
            Tensor cut = trial.output("cut", Shape.of(length + 1, one.n(), one.h()), Tolerance.EXACT);
            bench.tested().copy(initial, padded.slice(0, 1));
            bench.tested().copy(initial, cut.slice(0, 1));
            SimpleRnnPass withMask = new SimpleRnnPass(one.activation(), false, mask);
            bench.tested().simpleRnnForward(new SimpleRnnForward(weights, withMask, x, padded));
            SimpleRnnPass without = new SimpleRnnPass(one.activation(), false, null);
            bench.tested().simpleRnnForward(new SimpleRnnForward(weights, without, x.slice(0, length), cut));
            Tolerance tolerance = Tolerance.ofTerms((long) length * (one.d() + one.h() + 1));
            compare(findings, "h without padding", cut, padded.slice(0, length + 1), null, tolerance);
            double[] last = padded.slice(length, 1).toDoubles();
            for (int t = length + 1; t <= one.t(); t++) {
                findings.sameBits(
                        "state kept in padding", last, padded.slice(t, 1).toDoubles());
            }
        }
    }

    /** NaN in the padding stays there. */
    private static void maskedInputIsIgnored(RnnCase one, Check check, Bench bench, Findings findings) {
        double[][] states = new double[2][];
        for (int run = 0; run < 2; run++) {
            try (Trial trial = bench.trial(check)) {
                SimpleRnnWeights weights = weights(one, trial);
                double[] input = trial.uniform((long) one.t() * one.n() * one.d(), 1);
                int[] live = Masks.HOLES.values(one.t(), one.n(), trial.random());
                for (int i = 0; i < input.length && run == 1; i++) {
                    if (live[i / one.d()] == 0) input[i] = Double.NaN;
                }
                Tensor x = trial.input("x", Shape.of(one.t(), one.n(), one.d()), input);
                IntTensor mask = trial.ints("mask", Shape.of(one.t(), one.n()), live);
                Tensor h = trial.updated("h", Shape.of(one.t() + 1, one.n(), one.h()), Tolerance.EXACT);
                SimpleRnnPass pass = new SimpleRnnPass(one.activation(), one.reverse(), mask);
                bench.tested().simpleRnnForward(new SimpleRnnForward(weights, pass, x, h));
                states[run] = h.toDoubles();
            }
        }
        findings.sameBits("h with NaN in padding", states[0], states[1]);
    }

    /** A worker that holds the rows from the second on drops what one that holds them all would. */
    private static void splitRows(RnnCase one, Check check, Bench bench, Findings findings) {
        int rest = one.n() - 1;
        try (Trial trial = bench.trial(check)) {
            SimpleRnnWeights weights = weights(one, trial);
            double[] input = trial.uniform((long) one.t() * one.n() * one.d(), 1);
            Tensor x = trial.input("x", Shape.of(one.t(), one.n(), one.d()), input);
            Tensor h = zeros(trial, one.t(), one.n(), one.h());
            bench.tested().simpleRnnForward(new SimpleRnnForward(weights, one.pass(null), x, h));
            Tensor part = trial.input("x part", Shape.of(one.t(), rest, one.d()), withoutFirstRow(input, one, one.d()));
            Tensor states = zeros(trial, one.t(), rest, one.h());
            Dropout all = one.recurrentDropout();
            Dropout shifted = new Dropout(all.rate(), all.seed(), all.firstRow() + 1, true);
            SimpleRnnPass pass = new SimpleRnnPass(one.activation(), one.reverse(), null, shifted);
            bench.tested().simpleRnnForward(new SimpleRnnForward(weights, pass, part, states));
            double[] expected = withoutFirstRow(h.toDoubles(), one, one.h());
            findings.compare("h of some rows", expected, states.toDoubles(), null, ofTwoRuns(one), false);
        }
    }

    /** States before any pass, all slots 0. */
    private static Tensor zeros(Trial trial, int t, int n, int h) {
        Shape shape = Shape.of(t + 1, n, h);
        return trial.updated("h", shape, new double[Math.toIntExact(shape.size())], Tolerance.EXACT);
    }

    /** The rows [width] of each step but the first. */
    private static double[] withoutFirstRow(double[] values, RnnCase one, int width) {
        int from = one.n() * width;
        int to = from - width;
        double[] rest = new double[values.length / from * to];
        for (int step = 0; step < values.length / from; step++) {
            System.arraycopy(values, step * from + width, rest, step * to, to);
        }
        return rest;
    }

    /** Rate 0 keeps everything. */
    private static void dropoutOfNothing(RnnCase one, Check check, Bench bench, Findings findings) {
        double[][] states = new double[2][];
        for (int run = 0; run < 2; run++) {
            try (Trial trial = bench.trial(check)) {
                SimpleRnnForward forward = one.forward(trial);
                SimpleRnnPass pass = forward.pass();
                SimpleRnnPass plain = new SimpleRnnPass(pass.activation(), pass.reverse(), pass.mask());
                bench.tested()
                        .simpleRnnForward(new SimpleRnnForward(
                                forward.weights(), run == 0 ? plain : pass, forward.x(), forward.h()));
                states[run] = forward.h().toDoubles();
            }
        }
        findings.compare("h with nothing dropped", states[0], states[1], null, ofTwoRuns(one), false);
    }

    private static SimpleRnnWeights weights(RnnCase one, Trial trial) {
        Tensor wx = trial.input("wx", Shape.of(one.d(), one.h()), trial.uniform((long) one.d() * one.h(), .5));
        double scale = 1 / Math.sqrt(one.h());
        Tensor wh = trial.input("wh", Shape.of(one.h(), one.h()), trial.uniform((long) one.h() * one.h(), scale));
        return new SimpleRnnWeights(wx, wh, trial.input("b", Shape.of(one.h())));
    }
}
