package dev.elman.contract;

import dev.elman.backend.AdamStep;
import dev.elman.backend.Constraint;
import dev.elman.backend.IntTensor;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** What may be wrong with loss, clipping and optimizers. */
final class TrainingFaults {
    static final List<Fault> ALL = List.of(
            new Fault("softmax not in place", "x", Set.of("softmax"), call -> {
                call.proceed();
                if (call.tensor(0) == call.tensor(1)) call.sound().fill(call.tensor(1), 0);
            }),
            new Fault("softmax not shifted", "y", Set.of("softmax"), call -> {
                Tensor x = call.tensor(0);
                boolean overflows = Arrays.stream(x.toDoubles()).anyMatch(value -> value > 88);
                call.proceed();
                if (overflows) call.sound().fill(call.tensor(1), Double.NaN);
            }),
            new Fault("a product in place reads what it wrote", "b", Set.of("multiply"), call -> {
                call.proceed();
                if (call.tensor(1) == call.tensor(2))
                    call.sound().multiply(call.tensor(0), call.tensor(2), call.tensor(2));
            }),
            new Fault(
                    "l2 without its factor 2",
                    "g",
                    Set.of("addPenaltyGradient"),
                    call -> call.with(2, call.argument(2, Double.class) / 2).proceed()),
            new Fault("the sign of 0 is 1", "g", Set.of("addPenaltyGradient"), call -> {
                double l1 = call.argument(1, Double.class);
                double[] w = call.tensor(0).toDoubles();
                call.proceed();
                double[] g = call.tensor(3).toDoubles();
                for (int i = 0; i < g.length; i++) g[i] += w[i] == 0 ? l1 : 0;
                call.tensor(3).set(g);
            }),
            new Fault("norms of rows", "w", Set.of("constrain"), call -> {
                Tensor w = call.tensor(1);
                Constraint constraint = call.argument(0, Constraint.class);
                if (w.shape().rank() == 2 && constraint.kind() != Constraint.Kind.NON_NEGATIVE)
                    scaleRows(constraint, w);
                else call.proceed();
            }),
            new Fault("short columns are stretched", "w", Set.of("constrain"), call -> {
                Constraint constraint = call.argument(0, Constraint.class);
                boolean norm = constraint.kind() == Constraint.Kind.MAX_NORM;
                Constraint stretched = new Constraint(Constraint.Kind.UNIT_NORM, constraint.limit());
                call.with(0, norm ? stretched : constraint).proceed();
            }),
            new Fault("loss not scaled", "metrics", Set.of("softmaxCrossEntropy"), call -> {
                double scale = call.argument(3, Double.class);
                call.proceed();
                Tensor metrics = call.tensor(4);
                double[] values = metrics.toDoubles();
                metrics.set(values[0] / scale, values[1]);
            }),
            new Fault("loss gradient not scaled", "dLogits", Set.of("softmaxCrossEntropy"), call -> {
                double scale = call.argument(3, Double.class);
                call.proceed();
                Tensor dLogits = call.tensor(5);
                dLogits.set(Arrays.stream(dLogits.toDoubles())
                        .map(value -> value / scale)
                        .toArray());
            }),
            new Fault(
                    "smoothing ignored",
                    "metrics",
                    Set.of("softmaxCrossEntropy"),
                    call -> call.with(2, 0.0).proceed()),
            new Fault("no label is class zero", "metrics", Set.of("softmaxCrossEntropy"), call -> {
                IntTensor labels = call.ints(1);
                int[] given = labels.toInts();
                labels.set(Arrays.stream(given).map(label -> Math.max(label, 0)).toArray());
                call.proceed();
                labels.set(given);
            }),
            new Fault("clips to the norm always", "g", Set.of("clipGlobalNorm"), call -> {
                call.proceed();
                double maxNorm = call.argument(1, Double.class);
                Tensor g = call.tensor(0);
                double norm = Math.sqrt(
                        Arrays.stream(g.toDoubles()).map(value -> value * value).sum());
                if (norm > 0 && Double.isFinite(maxNorm)) {
                    g.set(Arrays.stream(g.toDoubles())
                            .map(value -> value * maxNorm / norm)
                            .toArray());
                }
            }),
            new Fault("momentum ignored", "w", Set.of("sgdStep"), call -> {
                SgdStep step = call.argument(0, SgdStep.class);
                call.with(0, new SgdStep(step.learningRate(), 0, step.nesterov(), step.weightDecay()))
                        .proceed();
            }),
            new Fault("nesterov ignored", "w", Set.of("sgdStep"), call -> {
                SgdStep step = call.argument(0, SgdStep.class);
                call.with(0, new SgdStep(step.learningRate(), step.momentum(), false, step.weightDecay()))
                        .proceed();
            }),
            new Fault("Adam without bias correction", "w", Set.of("adamStep"), call -> {
                AdamStep step = call.argument(0, AdamStep.class);
                call.with(0, adam(step, step.decoupled(), Long.MAX_VALUE)).proceed();
            }),
            new Fault("AdamW is Adam", "w", Set.of("adamStep"), call -> {
                AdamStep step = call.argument(0, AdamStep.class);
                call.with(0, adam(step, false, step.step())).proceed();
            }));

    private TrainingFaults() {}

    private static void scaleRows(Constraint constraint, Tensor w) {
        int columns = w.shape().extent(1);
        double[] values = w.toDoubles();
        for (int row = 0; row * columns < values.length; row++) {
            double squares = 0;
            for (int c = 0; c < columns; c++) squares += Math.pow(values[row * columns + c], 2);
            double factor = constraint.factor(Math.sqrt(squares));
            for (int c = 0; c < columns; c++) values[row * columns + c] *= factor;
        }
        w.set(values);
    }

    private static AdamStep adam(AdamStep step, boolean decoupled, long number) {
        return new AdamStep(
                step.learningRate(), step.beta1(), step.beta2(), step.epsilon(), step.weightDecay(), decoupled, number);
    }
}
