package dev.elman.verify;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.Locale;

/** A recurrence of certain sizes, and the operands of its two passes. */
record RnnCase(
        int t,
        int n,
        int d,
        int h,
        Activation activation,
        boolean reverse,
        Masks masks,
        boolean bias,
        boolean inputGradient,
        Dropout recurrentDropout) {
    /** Behind the names of the second direction's operands, as the seam calls them. */
    private static final String OTHER = " of the other direction";

    /** A case without recurrent dropout. */
    RnnCase(
            int t,
            int n,
            int d,
            int h,
            Activation activation,
            boolean reverse,
            Masks masks,
            boolean bias,
            boolean inputGradient) {
        this(t, n, d, h, activation, reverse, masks, bias, inputGradient, null);
    }

    /** The same with channels dropped in front of Wh; the row numbers begin anywhere. */
    RnnCase withRecurrentDropout(double rate) {
        Dropout dropout = new Dropout(rate, 0x9E3779B97F4A7C15L * (h + 1), 7 * n, true);
        return new RnnCase(t, n, d, h, activation, reverse, masks, bias, inputGradient, dropout);
    }

    SimpleRnnPass pass(IntTensor mask) {
        return new SimpleRnnPass(activation, reverse, mask, recurrentDropout);
    }

    String shape() {
        return "T=" + t + " N=" + n + " D=" + d + " H=" + h;
    }

    String variant() {
        return activation.name().toLowerCase(Locale.ROOT) + (reverse ? ", reverse" : ", forward") + ", " + masks
                + (bias ? "" : ", no bias")
                + (recurrentDropout == null ? "" : ", recurrent dropout " + recurrentDropout.rate());
    }

    /** Each state sums D + H + 1 terms, and passes its error on to T steps that shrink it. */
    private Tolerance stateTolerance() {
        return Tolerance.ofTerms((long) t * (d + h + 1));
    }

    Sample forwardSample() {
        return Sample.of("simpleRnnForward", shape(), variant(), trial -> {
            SimpleRnnForward one = forward(trial);
            return backend -> backend.simpleRnnForward(one);
        });
    }

    Sample backwardSample() {
        return Sample.of("simpleRnnBackward", shape(), backwardVariant(), trial -> {
            SimpleRnnBackward one = backward(trial);
            return backend -> backend.simpleRnnBackward(one);
        });
    }

    private String backwardVariant() {
        return variant() + (inputGradient ? "" : ", no dx");
    }

    /** This case, and beside it the same the other way. */
    Sample bothForwardSample() {
        return Sample.of("bidirectionalForward", shape(), variant(), trial -> {
            IntTensor mask = trial.mask(masks, t, n);
            SimpleRnnForward one = forward(trial, "", mask, input(trial));
            SimpleRnnForward other = otherWay().forward(trial, OTHER, mask, input(trial));
            return backend -> backend.bidirectionalForward(one, other);
        });
    }

    /** This case back, and beside it the same the other way. */
    Sample bothBackwardSample() {
        return Sample.of("bidirectionalBackward", shape(), backwardVariant(), trial -> {
            IntTensor mask = trial.mask(masks, t, n);
            SimpleRnnBackward one = backward(trial, "", mask);
            SimpleRnnBackward other = otherWay().backward(trial, OTHER, mask);
            return backend -> backend.bidirectionalBackward(one, other);
        });
    }

    /** The other direction; what the two need not have in common differs in every other case. */
    private RnnCase otherWay() {
        boolean differs = (n + h) % 2 == 0;
        Dropout dropout = recurrentDropout == null || differs
                ? null
                : new Dropout(recurrentDropout.rate(), ~recurrentDropout.seed(), recurrentDropout.firstRow(), true);
        return new RnnCase(t, n, d, h, activation, !reverse, masks, bias != differs, inputGradient != differs, dropout);
    }

    /** Operands before a forward pass: all slots but the initial one are garbage. */
    SimpleRnnForward forward(Trial trial) {
        return forward(trial, input(trial));
    }

    SimpleRnnForward forward(Trial trial, double[] input) {
        return forward(trial, "", trial.mask(masks, t, n), input);
    }

    private SimpleRnnForward forward(Trial trial, String whose, IntTensor mask, double[] input) {
        SimpleRnnWeights weights = weights(trial, whose);
        Tensor x = trial.input("x" + whose, Shape.of(t, n, d), input);
        SimpleRnnPass pass = pass(mask);
        int slot = n * h;
        int initial = pass.initialSlot(t) * slot;
        double[] states = new double[(t + 1) * slot];
        Arrays.fill(states, Double.NaN);
        System.arraycopy(trial.uniform(slot, 1), 0, states, initial, slot);
        Tensor h = trial.updated("h" + whose, statesShape(), states, stateTolerance(), initial, initial + slot);
        return new SimpleRnnForward(weights, pass, x, h);
    }

    /** Operands before a backward pass, with the states that the reference's forward pass leaves. */
    SimpleRnnBackward backward(Trial trial) {
        return backward(trial, "", trial.mask(masks, t, n));
    }

    private SimpleRnnBackward backward(Trial trial, String whose, IntTensor mask) {
        SimpleRnnWeights weights = weights(trial, whose);
        double[] input = input(trial);
        Tensor x = trial.input("x" + whose, Shape.of(t, n, d), input);
        double[] states = states(trial, weights, input, mask);
        Tensor h = trial.input("h" + whose, statesShape(), states);
        // The states are given, so a gradient sums H terms a step; those of the weights sum T * N of such gradients.
        long terms = (long) t * (h() + 1);
        Tensor dh = trial.updated("dh" + whose, statesShape(), Tolerance.ofTerms(terms));
        Tensor dx = inputGradient
                ? trial.output("dx" + whose, Shape.of(t, n, d), new Tolerance(terms + h(), inputScale()))
                : null;
        Tolerance summed = Tolerance.ofTerms(terms + (long) t * n);
        SimpleRnnWeights gradients = new SimpleRnnWeights(
                trial.updated("dwx" + whose, Shape.of(d, h()), summed),
                trial.updated("dwh" + whose, Shape.of(h(), h()), summed),
                bias ? trial.updated("db" + whose, Shape.of(h()), summed) : null);
        return new SimpleRnnBackward(new SimpleRnnForward(weights, pass(mask), x, h), dh, dx, gradients);
    }

    private double[] input(Trial trial) {
        return trial.uniform((long) t * n * d, 1);
    }

    private Shape statesShape() {
        return Shape.of(t + 1, n, h);
    }

    /** Weights that give sums of order 1 and a recurrence that forgets, so that no activation explodes. */
    private SimpleRnnWeights weights(Trial trial, String whose) {
        Tensor wx = trial.input("wx" + whose, Shape.of(d, h), trial.uniform((long) d * h, inputScale()));
        Tensor wh = trial.input("wh" + whose, Shape.of(h, h), trial.uniform((long) h * h, 1 / Math.sqrt(h)));
        return new SimpleRnnWeights(wx, wh, bias ? trial.input("b" + whose, Shape.of(h)) : null);
    }

    private double inputScale() {
        return Math.sqrt(3.0 / d);
    }

    /** States as the reference computes them from the trial's own weights, rounded to float32. */
    private double[] states(Trial trial, SimpleRnnWeights weights, double[] input, IntTensor mask) {
        double[] initial = trial.uniform((long) n * h, 1);
        Backend reference = trial.reference();
        try (Tensor wx = copy(reference, weights.wx(), Shape.of(d, h));
                Tensor wh = copy(reference, weights.wh(), Shape.of(h, h));
                Tensor b = bias ? copy(reference, weights.b(), Shape.of(h)) : null;
                Tensor x = reference.allocate(Shape.of(t, n, d));
                IntTensor live = reference.allocateInts(Shape.of(t, n));
                Tensor states = reference.allocate(statesShape())) {
            x.set(input);
            if (mask != null) live.set(Arrays.copyOf(mask.toInts(), t * n));
            SimpleRnnPass pass = pass(mask == null ? null : live);
            states.slice(pass.initialSlot(t), 1).set(initial);
            reference.simpleRnnForward(new SimpleRnnForward(new SimpleRnnWeights(wx, wh, b), pass, x, states));
            double[] values = states.toDoubles();
            for (int i = 0; i < values.length; i++) values[i] = (float) values[i];
            return values;
        }
    }

    private static Tensor copy(Backend reference, Tensor tensor, Shape shape) {
        Tensor copy = reference.allocate(shape);
        copy.set(Arrays.copyOf(tensor.toDoubles(), Math.toIntExact(shape.size())));
        return copy;
    }
}
