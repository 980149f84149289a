package dev.elman.verify;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Constraint;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** What single layers promise beyond their formulas, and the values that they refuse. */
final class LayerChecks {
    private static final Class<IllegalArgumentException> ARGUMENT = IllegalArgumentException.class;

    private LayerChecks() {}

    static List<Check> all() {
        return List.of(
                new Check("dropout", "T=3 N=9 C=31", "rows split over two calls", LayerChecks::dropoutOfSplitRows),
                new Check("dropout", "T=3 N=5 C=130", "the elements of the reference", LayerChecks::dropoutPattern),
                new Check("dropout", "T=5 N=20 C=100", "share and size", LayerChecks::dropoutShare),
                new Check("dropout", "T=2 N=4 C=5", "rate 0", LayerChecks::dropoutOfNothing),
                new Check("dropout", "T=6 N=5 C=30", "variational: every step the same", LayerChecks::sameAtEveryStep),
                refuses("softmaxCrossEntropy", "smoothing 1", trial -> {
                    Tensor logits = trial.input("logits", Shape.of(2, 3));
                    IntTensor labels = trial.ints("labels", Shape.of(2), 0, 1);
                    Tensor metrics = trial.input("metrics", Shape.of(2));
                    Tensor dLogits = trial.input("dLogits", Shape.of(2, 3));
                    return backend -> backend.softmaxCrossEntropy(logits, labels, 1, 1, metrics, dLogits);
                }),
                refuses("clipValue", "limit 0", trial -> {
                    Tensor g = trial.input("g", Shape.of(3));
                    return backend -> backend.clipValue(g, 0);
                }),
                refuses("constrain", "three axes", trial -> {
                    Tensor w = trial.input("w", Shape.of(2, 3, 4));
                    return backend -> backend.constrain(Constraint.unitNorm(), w);
                }),
                refuses("clipGlobalNorm", "maxNorm NaN", trial -> {
                    Tensor g = trial.input("g", Shape.of(3));
                    Tensor norm = trial.input("norm", Shape.of(1));
                    return backend -> backend.clipGlobalNorm(g, Double.NaN, norm);
                }),
                refuses("sgdStep", "momentum without velocity", trial -> {
                    Tensor w = trial.input("w", Shape.of(3));
                    Tensor g = trial.input("g", Shape.of(3));
                    return backend -> backend.sgdStep(new SgdStep(.1, .9, false, 0), w, g, null);
                }),
                refuses("poolForward", "max without argmax", trial -> {
                    Tensor x = trial.input("x", Shape.of(2, 3, 4));
                    Tensor y = trial.input("y", Shape.of(3, 4));
                    return backend -> backend.poolForward(Pooling.MAX, x, null, y, null);
                }),
                refuses("poolBackward", "mean with argmax", trial -> {
                    Tensor dy = trial.input("dy", Shape.of(3, 4));
                    Tensor dx = trial.input("dx", Shape.of(2, 3, 4));
                    IntTensor argmax = trial.ints("argmax", Shape.of(3, 4), new int[12]);
                    return backend -> backend.poolBackward(Pooling.MEAN, dy, null, argmax, dx);
                }),
                refuses("softmax", "a scalar", trial -> {
                    Tensor x = trial.input("x", Shape.of());
                    Tensor y = trial.input("y", Shape.of());
                    return backend -> backend.softmax(x, y);
                }),
                refuses("copyColumns", "beyond the last column", trial -> {
                    Tensor x = trial.input("x", Shape.of(2, 3));
                    Tensor y = trial.input("y", Shape.of(2, 4));
                    return backend -> backend.copyColumns(x, 1, y, 0, 3);
                }),
                refuses("simpleRnnBackward", "bias without its gradient", trial -> oneBias(trial, true)),
                refuses("simpleRnnBackward", "gradient of no bias", trial -> oneBias(trial, false)),
                refuses("simpleRnnForward", "2^31 rows in all steps", trial -> {
                    SimpleRnnForward forward = ofManyRows(trial);
                    return backend -> backend.simpleRnnForward(forward);
                }),
                refuses("simpleRnnBackward", "2^31 rows in all steps", trial -> {
                    SimpleRnnForward forward = ofManyRows(trial);
                    Tensor dh = trial.input("dh", forward.h().shape());
                    return backend ->
                            backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, null, forward.weights()));
                }));
    }

    /** Without features and nodes they take no memory. */
    private static SimpleRnnForward ofManyRows(Trial trial) {
        int t = 1 << 16;
        int n = 1 << 15;
        Tensor none = trial.input("weights", Shape.of(0, 0));
        SimpleRnnWeights weights = new SimpleRnnWeights(none, none, null);
        Tensor x = trial.input("x", Shape.of(t, n, 0));
        Tensor h = trial.input("h", Shape.of(t + 1, n, 0));
        return new SimpleRnnForward(weights, new SimpleRnnPass(Activation.TANH, false, null), x, h);
    }

    private static Check refuses(String operation, String what, Sample.Setup setup) {
        return new Check(operation, "", "refuses " + what, (check, bench, findings) -> {
            try (Trial trial = bench.trial(check)) {
                Consumer<Backend> call = setup.prepare(trial);
                Promises.refused(findings, "refusal", what, () -> call.accept(bench.tested()), ARGUMENT);
                trial.operands().forEach(operand -> operand.judgeUntouched(findings));
            }
        });
    }

    private static Consumer<Backend> oneBias(Trial trial, boolean ofWeights) {
        SimpleRnnBackward whole = RnnSamples.ordinary().backward(trial);
        SimpleRnnForward forward = whole.forward();
        SimpleRnnWeights weights = ofWeights ? forward.weights() : withoutBias(forward.weights());
        SimpleRnnWeights gradients = ofWeights ? withoutBias(whole.gradients()) : whole.gradients();
        SimpleRnnForward bent = new SimpleRnnForward(weights, forward.pass(), forward.x(), forward.h());
        return backend -> backend.simpleRnnBackward(new SimpleRnnBackward(bent, whole.dh(), whole.dx(), gradients));
    }

    private static SimpleRnnWeights withoutBias(SimpleRnnWeights weights) {
        return new SimpleRnnWeights(weights.wx(), weights.wh(), null);
    }

    /** Two workers that hold some rows each drop what one worker would that holds them all. */
    private static void dropoutOfSplitRows(Check check, Bench bench, Findings findings) {
        int t = 3;
        int n = 9;
        int c = 31;
        int split = 4;
        try (Trial trial = bench.trial(check)) {
            double[] values = trial.uniform((long) t * n * c, 1);
            Tensor x = trial.input("x", Shape.of(t, n, c), values);
            Tensor y = trial.output("y", Shape.of(t, n, c), Tolerance.EXACT);
            bench.tested().dropout(new Dropout(.5, 3, 100), x, y);
            double[] whole = y.toDoubles();
            double[] joined = new double[whole.length];
            for (int[] rows : new int[][] {{0, split}, {split, n}}) {
                int count = rows[1] - rows[0];
                Shape part = Shape.of(t, count, c);
                Tensor from = trial.input("x part", part, rows(values, t, n, c, rows[0], rows[1]));
                Tensor to = trial.output("y part", part, Tolerance.EXACT);
                bench.tested().dropout(new Dropout(.5, 3, 100 + rows[0]), from, to);
                double[] dropped = to.toDoubles();
                for (int step = 0; step < t; step++) {
                    System.arraycopy(dropped, step * count * c, joined, (step * n + rows[0]) * c, count * c);
                }
            }
            findings.sameBits("y", whole, joined);
        }
    }

    private static double[] rows(double[] values, int t, int n, int c, int from, int to) {
        double[] part = new double[t * (to - from) * c];
        for (int step = 0; step < t; step++) {
            System.arraycopy(values, (step * n + from) * c, part, step * (to - from) * c, (to - from) * c);
        }
        return part;
    }

    /** Dropped is exactly 0, at exactly the elements of the reference. */
    private static void dropoutPattern(Check check, Bench bench, Findings findings) {
        for (double rate : new double[] {.001, .1, .5, .75, .999}) {
            Dropout dropout = new Dropout(rate, Double.doubleToLongBits(-rate), 2_000_000_000);
            boolean[] expected = kept(bench.referenceTrial(check), dropout);
            boolean[] given = kept(bench.trial(check), dropout);
            findings.require("dropped elements", Arrays.equals(expected, given), "are others at rate " + rate);
        }
    }

    private static Tensor ones(Trial trial, Shape shape) {
        double[] ones = new double[Math.toIntExact(shape.size())];
        Arrays.fill(ones, 1);
        return trial.input("x", shape, ones);
    }

    private static boolean[] kept(Trial given, Dropout dropout) {
        try (Trial trial = given) {
            Shape shape = Shape.of(3, 5, 130);
            Tensor y = trial.output("y", shape, Tolerance.EXACT);
            trial.backend().dropout(dropout, ones(trial, shape), y);
            double[] values = y.toDoubles();
            boolean[] kept = new boolean[values.length];
            for (int i = 0; i < kept.length; i++) kept[i] = values[i] != 0;
            return kept;
        }
    }

    /** Of 10,000 elements a share near the rate is 0 (6 standard deviations are .027), another share for another seed. */
    private static void dropoutShare(Check check, Bench bench, Findings findings) {
        try (Trial trial = bench.trial(check)) {
            Tensor x = ones(trial, Shape.of(5, 20, 100));
            Tensor y = trial.output("y", Shape.of(5, 20, 100), Tolerance.EXACT);
            bench.tested().dropout(new Dropout(.3, 11, 0), x, y);
            double[] first = y.toDoubles();
            bench.tested().dropout(new Dropout(.3, 12, 0), x, y);
            double[] second = y.toDoubles();
            double share = Arrays.stream(first).filter(value -> value == 0).count() / 10_000.0;
            findings.require("share", Math.abs(share - .3) < .027, "dropped a share of " + share + " at rate 0.3");
            findings.require("seed", !Arrays.equals(first, second), "two seeds drop the same elements");
        }
    }

    private static void sameAtEveryStep(Check check, Bench bench, Findings findings) {
        try (Trial trial = bench.trial(check)) {
            Tensor x = ones(trial, Shape.of(6, 5, 30));
            Tensor y = trial.output("y", Shape.of(6, 5, 30), Tolerance.EXACT);
            bench.tested().dropout(new Dropout(.5, 9, 2, true), x, y);
            double[] first = y.slice(0, 1).toDoubles();
            for (int t = 1; t < 6; t++) {
                findings.sameBits("step " + t, first, y.slice(t, 1).toDoubles());
            }
        }
    }

    private static void dropoutOfNothing(Check check, Bench bench, Findings findings) {
        try (Trial trial = bench.trial(check)) {
            Tensor x = trial.input("x", Shape.of(2, 4, 5));
            Tensor y = trial.output("y", Shape.of(2, 4, 5), Tolerance.EXACT);
            bench.tested().dropout(new Dropout(0, 1, 0), x, y);
            findings.sameBits("y", x.toDoubles(), y.toDoubles());
        }
    }
}
