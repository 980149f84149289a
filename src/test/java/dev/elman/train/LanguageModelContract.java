package dev.elman.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.reference.ReferenceBackend;
import dev.elman.verify.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Truncated back-propagation through time on the backend that a subclass names: loss and gradient of every window, an
 * evaluation, and a training, all as on the reference.
 */
abstract class LanguageModelContract {
    private static final int VOCABULARY = 7;
    private static final int STREAMS = 3;
    /** Generous: two layers, through all steps of a window, for all streams. */
    private static final long TERMS = 1000;

    private final String name;
    private final Supplier<Backend> opener;
    private final int[] tokens = new Random(3).ints(100, 0, VOCABULARY).toArray();

    LanguageModelContract(String name, Supplier<Backend> opener) {
        this.name = name;
        this.opener = opener;
    }

    @TestFactory
    Stream<DynamicTest> truncations() {
        LanguageModelConfig plain =
                LanguageModelConfig.of(VOCABULARY).withSizes(5, 6).withDropout(0);
        Map<String, LanguageModelConfig> configs = new LinkedHashMap<>();
        configs.put("k1 = 1", plain.withWindow(1));
        configs.put("k1 = 5", plain.withWindow(5));
        configs.put("k1 = 3, k2 = 7", plain.withWindow(3, 7));
        configs.put("k1 = 4, k2 = 8, layers", plain.withWindow(4, 8).withLayers(2));
        configs.put(
                "all of them",
                plain.withSizes(6, 6)
                        .withTied(true)
                        .withLayers(2)
                        .withDropout(.2)
                        .withRecurrentDropout(.3)
                        .withWindow(3, 9));
        return configs.entrySet().stream()
                .map(entry -> dynamicTest(entry.getKey(), () -> sameAsReference(entry.getValue())));
    }

    private void sameAsReference(LanguageModelConfig config) {
        try (Backend tested = Required.open(name, opener);
                Backend reference = new ReferenceBackend()) {
            List<double[]> expected = windows(reference, config);
            List<double[]> given = windows(tested, config);
            assertEquals(expected.size(), given.size());
            for (int i = 0; i < expected.size(); i++) {
                double[] right = expected.get(i);
                double seen = Arrays.stream(right).map(Math::abs).max().orElse(0);
                double bound = Tolerance.ofTerms(TERMS).bound(tested.unitRoundoff(), seen);
                for (int k = 0; k < right.length; k++) {
                    assertEquals(right[k], given.get(i)[k], bound, "window " + i + ", number " + k);
                }
            }
            double loss = trained(reference, config);
            assertEquals(loss, trained(tested, config), 1e-4 * loss, "loss of a training");
            assertEquals(0, tested.liveTensors());
        }
    }

    /** For each window loss, hits and gradient, its weights held fixed; at last an evaluation. */
    private List<double[]> windows(Backend backend, LanguageModelConfig config) {
        List<double[]> results = new ArrayList<>();
        Trainer trainer = Trainer.builder().batchSize(STREAMS).build();
        try (LanguageModel model = new LanguageModel(backend, config);
                LanguageModelLearner learner = new LanguageModelLearner(model, tokens, trainer);
                Tensor metrics = backend.allocate(Shape.of(2))) {
            int windows = learner.startEpoch(1);
            for (int window = 0; window < windows; window++) {
                backend.fill(learner.gradients().flat(), 0);
                learner.learn(window, window, metrics);
                results.add(metrics.toDoubles());
                results.add(learner.gradients().flat().toDoubles());
            }
            results.add(new double[] {model.evaluate(tokens).loss()});
        }
        return results;
    }

    private double trained(Backend backend, LanguageModelConfig config) {
        Trainer trainer = Trainer.builder()
                .epochs(2)
                .batchSize(STREAMS)
                .optimizer(Optimizer.sgd(0.1))
                .build();
        try (LanguageModel model = new LanguageModel(backend, config)) {
            return model.fit(tokens, trainer).last().loss();
        }
    }
}
