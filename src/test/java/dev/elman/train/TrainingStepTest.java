package dev.elman.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Constraint;
import dev.elman.backend.Parameters;
import dev.elman.contract.OnReference;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What one step makes of the weights: penalties, clipping, constraints. */
class TrainingStepTest extends OnReference {
    private final ToyData data = new ToyData(100, 1);

    /** One step of SGD over all rows: w - rate * (g + l1 sign(w) + 2 l2 w), for the kinds that are named. */
    @Test
    void penaltiesJoinTheGradient() {
        Map<String, double[]> before = new HashMap<>();
        Map<String, double[]> plain = oneStep(oneBatch(), before);
        Map<String, double[]> penalized = oneStep(
                oneBatch()
                        .regularizer(WeightKind.RECURRENT, new Regularizer(.25, .5))
                        .regularizer(WeightKind.EMBEDDING, Regularizer.l2(.125)),
                before);
        plain.forEach((name, without) -> {
            double l1 = name.endsWith(".wh") ? .25 : 0;
            double l2 = name.endsWith(".wh") ? .5 : name.endsWith("table") ? .125 : 0;
            for (int i = 0; i < without.length; i++) {
                double w = before.get(name)[i];
                assertEquals(
                        without[i] - .1 * (l1 * Math.signum(w) + 2 * l2 * w),
                        penalized.get(name)[i],
                        1e-14,
                        name);
            }
        });
    }

    @Test
    void valuesAreClippedBeforeTheNormOfAll() {
        Map<String, double[]> before = new HashMap<>();
        Map<String, double[]> plain = oneStep(oneBatch(), before);
        Map<String, double[]> values = oneStep(oneBatch().clipValue(.01), before);
        Map<String, double[]> both = oneStep(oneBatch().clipValue(.01).clipNorm(.02), before);
        double norm = length(before, values) / .1;
        assertTrue(norm > .04, "norm " + norm);
        plain.forEach((name, after) -> {
            for (int i = 0; i < after.length; i++) {
                double w = before.get(name)[i];
                double clipped = Math.max(-.01, Math.min(.01, (w - after[i]) / .1));
                assertEquals(w - .1 * clipped * .02 / norm, both.get(name)[i], 1e-14, name);
            }
        });
    }

    @Test
    void whatIsClippedIsTheGradientWithItsPenalties() {
        Map<String, double[]> before = new HashMap<>();
        Map<String, double[]> after =
                oneStep(oneBatch().clipNorm(.01).regularizer(WeightKind.RECURRENT, Regularizer.l2(9)), before);
        assertEquals(.1 * .01, length(before, after), 1e-14);
    }

    /** Of the way from one to the other, all weights together. */
    private static double length(Map<String, double[]> from, Map<String, double[]> to) {
        double squares = 0;
        for (String name : from.keySet()) {
            for (int i = 0; i < from.get(name).length; i++) {
                double way = to.get(name)[i] - from.get(name)[i];
                squares += way * way;
            }
        }
        return Math.sqrt(squares);
    }

    @Test
    void everyWeightIsOfOneKind() {
        ClassifierConfig config = ToyData.config()
                .layers(2)
                .bidirectional(true)
                .recurrentBias(true)
                .build();
        Map<WeightKind, Integer> counts = new EnumMap<>(WeightKind.class);
        for (Parameters.Spec spec : config.specs()) {
            for (WeightKind kind : WeightKind.values()) {
                if (kind.holds(spec.name())) counts.merge(kind, 1, Integer::sum);
            }
        }
        Map<WeightKind, Integer> expected = Map.of(
                WeightKind.KERNEL, 4,
                WeightKind.RECURRENT, 4,
                WeightKind.BIAS, 8, // b and bh
                WeightKind.EMBEDDING, 1,
                WeightKind.OUTPUT, 1,
                WeightKind.OUTPUT_BIAS, 1);
        assertEquals(expected, counts);
    }

    @Test
    void constraintsHoldAfterEveryStep() {
        Map<String, double[]> after = oneStep(
                oneBatch()
                        .constraint(WeightKind.KERNEL, Constraint.maxNorm(.5))
                        .constraint(WeightKind.RECURRENT, Constraint.unitNorm())
                        .constraint(WeightKind.OUTPUT_BIAS, Constraint.nonNegative()),
                new HashMap<>());
        for (int j = 0; j < 16; j++) {
            assertTrue(columnNorm(after.get("rnn.forward.wx"), 16, j) <= .5 + 1e-12);
            assertEquals(1, columnNorm(after.get("rnn.forward.wh"), 16, j), 1e-12);
        }
        for (double b : after.get("dense.b")) assertTrue(b >= 0);
        boolean negative = false;
        for (double w : after.get("dense.w")) negative |= w < 0;
        assertTrue(negative, "other weights are left alone");
    }

    private Trainer.Builder oneBatch() {
        return Trainer.builder()
                .epochs(1)
                .batchSize(data.ids.length)
                .optimizer(Optimizer.sgd(.1))
                .clipNorm(Double.POSITIVE_INFINITY);
    }

    private Map<String, double[]> oneStep(Trainer.Builder trainer, Map<String, double[]> before) {
        Map<String, double[]> after = new HashMap<>();
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            model.weights().views().forEach((name, view) -> before.put(name, view.toDoubles()));
            model.fit(data.ids, data.labels, trainer.build());
            model.weights().views().forEach((name, view) -> after.put(name, view.toDoubles()));
        }
        return after;
    }

    private static double columnNorm(double[] matrix, int columns, int column) {
        double squares = 0;
        for (int i = column; i < matrix.length; i += columns) squares += matrix[i] * matrix[i];
        return Math.sqrt(squares);
    }
}
