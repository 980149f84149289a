package dev.elman.contract;

import dev.elman.backend.Activation;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** What may be wrong with the recurrence. */
final class RnnFaults {
    static final List<Fault> ALL = List.of(
            new Fault("bias dropped", "h", Set.of("simpleRnnForward"), call -> {
                SimpleRnnForward given = forward(call);
                SimpleRnnWeights weights = new SimpleRnnWeights(
                        given.weights().wx(), given.weights().wh(), null);
                call.with(0, new SimpleRnnForward(weights, given.pass(), given.x(), given.h()))
                        .proceed();
            }),
            new Fault("last step skipped", "h", Set.of("simpleRnnForward"), call -> {
                call.proceed();
                Tensor h = forward(call).h();
                SimpleRnnPass pass = forward(call).pass();
                int steps = h.shape().extent(0) - 1;
                if (steps < 1 || h.shape().size() == 0) return;
                int last = pass.finalSlot(steps);
                call.sound().copy(h.slice(pass.reverse() ? 1 : last - 1, 1), h.slice(last, 1));
            }),
            new Fault(
                    "Wh transposed",
                    "h",
                    Set.of("simpleRnnForward", "simpleRnnBackward"),
                    call -> withTransposedWh(call)),
            new Fault("state of the last call", "h", Set.of("simpleRnnForward"), call -> {
                SimpleRnnPass pass = forward(call).pass();
                Tensor h = forward(call).h();
                Tensor initial = h.slice(pass.initialSlot(h.shape().extent(0) - 1), 1);
                double[] given = initial.toDoubles();
                if (call.memory() instanceof double[] old && old.length == given.length) initial.set(old);
                call.proceed();
                call.remember(
                        h.slice(pass.finalSlot(h.shape().extent(0) - 1), 1).toDoubles());
                initial.set(given);
            }),
            new Fault("initial state is zero", "h", Set.of("simpleRnnForward"), call -> {
                SimpleRnnPass pass = forward(call).pass();
                Tensor h = forward(call).h();
                Tensor initial = h.slice(pass.initialSlot(h.shape().extent(0) - 1), 1);
                double[] given = initial.toDoubles();
                call.sound().fill(initial, 0);
                call.proceed();
                initial.set(given);
            }),
            new Fault("mask ignored", "h", Set.of("simpleRnnForward", "simpleRnnBackward"), call -> {
                SimpleRnnPass pass = forward(call).pass();
                with(call, new SimpleRnnPass(pass.activation(), pass.reverse(), null, pass.recurrentDropout()))
                        .proceed();
            }),
            new Fault(
                    "length off by one",
                    "h",
                    Set.of("simpleRnnForward", "simpleRnnBackward"),
                    call -> withLaterMask(call)),
            new Fault("reverse ignored", "h", Set.of("simpleRnnForward", "simpleRnnBackward"), call -> {
                SimpleRnnPass pass = forward(call).pass();
                with(call, new SimpleRnnPass(pass.activation(), false, pass.mask(), pass.recurrentDropout()))
                        .proceed();
            }),
            new Fault(
                    "both directions with one Wh", "h of the other direction", Set.of("bidirectionalForward"), call -> {
                        SimpleRnnForward one = call.argument(0, SimpleRnnForward.class);
                        SimpleRnnForward other = call.argument(1, SimpleRnnForward.class);
                        SimpleRnnWeights mixed = new SimpleRnnWeights(
                                other.weights().wx(),
                                one.weights().wh(),
                                other.weights().b());
                        call.with(1, new SimpleRnnForward(mixed, other.pass(), other.x(), other.h()))
                                .proceed();
                    }),
            new Fault(
                    "both directions with one x",
                    "dwx of the other direction",
                    Set.of("bidirectionalBackward"),
                    call -> {
                        SimpleRnnForward one =
                                call.argument(0, SimpleRnnBackward.class).forward();
                        SimpleRnnBackward other = call.argument(1, SimpleRnnBackward.class);
                        SimpleRnnForward forward = new SimpleRnnForward(
                                other.forward().weights(),
                                other.forward().pass(),
                                one.x(),
                                other.forward().h());
                        call.with(1, new SimpleRnnBackward(forward, other.dh(), other.dx(), other.gradients()))
                                .proceed();
                    }),
            withDropout("recurrent dropout ignored", "h", "simpleRnnForward", dropout -> null),
            withDropout("recurrent dropout forgotten on the way back", "dh", "simpleRnnBackward", dropout -> null),
            withDropout(
                    "recurrent dropout ignores first row",
                    "h of some rows",
                    "simpleRnnForward",
                    dropout -> new Dropout(dropout.rate(), dropout.seed(), 0, true)),
            withDropout(
                    "recurrent dropout scales what it should not",
                    "h with nothing dropped",
                    "simpleRnnForward",
                    dropout -> new Dropout(.5, dropout.seed(), dropout.firstRow(), true)),
            new Fault("dWh of whole states", "dwh", Set.of("simpleRnnBackward"), call -> dWhOfWholeStates(call)),
            new Fault("recurrent dropout drops states", "h", Set.of("simpleRnnForward"), call -> {
                call.proceed();
                SimpleRnnPass pass = forward(call).pass();
                if (pass.recurrentDropout() == null) return;
                Tensor last = pass.outputs(forward(call).h());
                call.sound().dropout(pass.recurrentDropout(), last, last);
            }),
            new Fault("ReLU swallows NaN", "h", Set.of("simpleRnnForward"), call -> {
                call.proceed();
                SimpleRnnPass pass = forward(call).pass();
                if (pass.activation() != Activation.RELU) return;
                Tensor h = forward(call).h();
                h.set(Arrays.stream(h.toDoubles())
                        .map(value -> Double.isNaN(value) ? 0 : value)
                        .toArray());
            }),
            new Fault("whole sequence rounds otherwise", "h by steps", Set.of("simpleRnnForward"), call -> {
                call.proceed();
                Tensor h = forward(call).h();
                if (h.shape().extent(0) > 2) Fault.nudge(h.slice(1, 1));
            }),
            wholeSequence("dx", SimpleRnnBackward::dx),
            wholeSequence("dwx", backward -> backward.gradients().wx()),
            wholeSequence("dwh", backward -> backward.gradients().wh()),
            wholeSequence("db", backward -> backward.gradients().b()),
            masked("a mask upsets live states", "h without padding", h -> push(h.slice(1, 1))),
            masked(
                    "states drift in padding",
                    "state kept in padding",
                    h -> Fault.nudge(h.slice(h.shape().extent(0) - 1, 1))),
            new Fault("masked input spreads", "h with NaN in padding", Set.of("simpleRnnForward"), call -> {
                call.proceed();
                boolean any = Arrays.stream(forward(call).x().toDoubles()).anyMatch(Double::isNaN);
                if (any) Fault.nudge(forward(call).h());
            }),
            new Fault("tanh of few digits", "h", Set.of("simpleRnnForward"), call -> {
                call.proceed();
                if (forward(call).pass().activation() != Activation.TANH) return;
                Tensor h = forward(call).h();
                // Off by 40 units in the last place of a float; the fastest tanh of a GPU is off by 8,000.
                Tensor after = forward(call).pass().outputs(h);
                after.set(Arrays.stream(after.toDoubles())
                        .map(value -> value * (1 + 40 * 0x1p-24))
                        .toArray());
            }),
            new Fault("tanh of tanh", "dh", Set.of("simpleRnnBackward"), call -> {
                SimpleRnnPass pass = forward(call).pass();
                Tensor h = forward(call).h();
                double[] states = h.toDoubles();
                if (pass.activation() == Activation.TANH)
                    h.set(Arrays.stream(states).map(Math::tanh).toArray());
                call.proceed();
                h.set(states);
            }),
            new Fault("gradient overwritten", "dwx", Set.of("simpleRnnBackward"), call -> {
                SimpleRnnWeights gradients = backward(call).gradients();
                call.sound().fill(gradients.wx(), 0);
                call.proceed();
            }),
            new Fault("gradient of one step only", "dwx", Set.of("simpleRnnBackward"), call -> gradientOfOneStep(call)),
            new Fault("initial state gets no gradient", "dh", Set.of("simpleRnnBackward"), call -> {
                SimpleRnnPass pass = forward(call).pass();
                Tensor dh = backward(call).dh();
                Tensor initial = dh.slice(pass.initialSlot(dh.shape().extent(0) - 1), 1);
                double[] before = initial.toDoubles();
                call.proceed();
                initial.set(before);
            }));

    private RnnFaults() {}

    /** More than one step at a time gives another gradient. */
    private static Fault wholeSequence(String name, Function<SimpleRnnBackward, Tensor> gradient) {
        String fault = "whole sequence has another " + name;
        return new Fault(fault, name + " by steps", Set.of("simpleRnnBackward"), call -> {
            call.proceed();
            Tensor given = gradient.apply(backward(call));
            if (given != null && forward(call).x().shape().extent(0) > 1) push(given);
        });
    }

    /** A pass with a mask leaves other states. */
    private static Fault masked(String name, String quantity, Consumer<Tensor> mistake) {
        return new Fault(name, quantity, Set.of("simpleRnnForward"), call -> {
            call.proceed();
            Tensor h = forward(call).h();
            if (forward(call).pass().mask() != null && h.shape().extent(0) > 1) mistake.accept(h);
        });
    }

    /** Adds to the first element what no rounding does. */
    private static void push(Tensor y) {
        if (y.shape().size() == 0) return;
        Tensor first = y.view(0, Shape.of(1));
        first.set(first.toDoubles()[0] + .01);
    }

    /** What a call takes forward, or took when it is one back. */
    private static SimpleRnnForward forward(FaultyBackend.Call call) {
        return call.operation().equals("simpleRnnForward")
                ? call.argument(0, SimpleRnnForward.class)
                : backward(call).forward();
    }

    private static SimpleRnnBackward backward(FaultyBackend.Call call) {
        return call.argument(0, SimpleRnnBackward.class);
    }

    /** The same call with another pass. */
    private static FaultyBackend.Call with(FaultyBackend.Call call, SimpleRnnPass pass) {
        SimpleRnnForward given = forward(call);
        SimpleRnnForward bent = new SimpleRnnForward(given.weights(), pass, given.x(), given.h());
        if (call.operation().equals("simpleRnnForward")) return call.with(0, bent);
        SimpleRnnBackward back = backward(call);
        return call.with(0, new SimpleRnnBackward(bent, back.dh(), back.dx(), back.gradients()));
    }

    private static Fault withDropout(String name, String quantity, String operation, UnaryOperator<Dropout> mistake) {
        return new Fault(name, quantity, Set.of(operation), call -> {
            SimpleRnnPass pass = forward(call).pass();
            Dropout dropout = pass.recurrentDropout();
            Dropout wrong = dropout == null ? null : mistake.apply(dropout);
            with(call, new SimpleRnnPass(pass.activation(), pass.reverse(), pass.mask(), wrong))
                    .proceed();
        });
    }

    /** da is right, but dWh is the product with the states before dropout. */
    private static void dWhOfWholeStates(FaultyBackend.Call call) throws Throwable {
        SimpleRnnPass pass = forward(call).pass();
        Tensor h = forward(call).h();
        Tensor dh = backward(call).dh();
        SimpleRnnWeights gradients = backward(call).gradients();
        double[] before = gradients.wh().toDoubles();
        call.proceed();
        int steps = h.shape().extent(0) - 1;
        if (pass.recurrentDropout() == null || steps == 0) return;
        gradients.wh().set(before);
        Shape rows = Shape.of(steps * h.shape().extent(1), h.shape().extent(2));
        Tensor recurrent = h.slice(pass.reverse() ? 1 : 0, steps).reshape(rows);
        Tensor wh = forward(call).weights().wh();
        call.sound().denseBackward(recurrent, wh, pass.outputs(dh).reshape(rows), null, gradients.wh(), null);
    }

    private static void withTransposedWh(FaultyBackend.Call call) throws Throwable {
        SimpleRnnWeights weights = forward(call).weights();
        int h = weights.wh().shape().extent(0);
        if (weights.wh().shape().extent(1) != h) {
            call.proceed();
            return;
        }
        double[] values = weights.wh().toDoubles();
        double[] transposed = new double[values.length];
        for (int i = 0; i < values.length; i++) transposed[i % h * h + i / h] = values[i];
        weights.wh().set(transposed);
        try {
            call.proceed();
        } finally {
            weights.wh().set(values);
        }
    }

    /** Every live step is followed by another one. */
    private static void withLaterMask(FaultyBackend.Call call) throws Throwable {
        SimpleRnnPass pass = forward(call).pass();
        IntTensor mask = pass.mask();
        if (mask == null || mask.shape().rank() != 2) {
            call.proceed();
            return;
        }
        int[] given = mask.toInts();
        int[] later = given.clone();
        int n = mask.shape().extent(1);
        for (int i = n; i < given.length; i++) if (given[i - n] != 0) later[i] = 1;
        mask.set(later);
        try {
            call.proceed();
        } finally {
            mask.set(given);
        }
    }

    /** dWx is that of step 0 alone, as where a step's gradient replaces the one of the step after it. */
    private static void gradientOfOneStep(FaultyBackend.Call call) throws Throwable {
        SimpleRnnPass pass = forward(call).pass();
        Tensor x = forward(call).x();
        Tensor dh = backward(call).dh();
        SimpleRnnWeights gradients = backward(call).gradients();
        double[] before = gradients.wx().toDoubles();
        call.proceed();
        if (x.shape().extent(0) == 0) return;
        gradients.wx().set(before);
        int n = x.shape().extent(1);
        Shape step = Shape.of(n, x.shape().extent(2));
        Tensor da = pass.outputs(dh).view(0, Shape.of(n, dh.shape().extent(2)));
        SimpleRnnWeights weights = forward(call).weights();
        call.sound().denseBackward(x.view(0, step), weights.wx(), da, null, gradients.wx(), null);
    }
}
