package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Constraint;
import dev.elman.backend.Parameters;
import dev.elman.backend.Tensor;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * What is asked of weights besides a small loss: penalties join the gradients before these are clipped, constraints hold
 * after every step.
 *
 * @param regularizers by kind of weights
 * @param constraints by kind of weights
 */
public record WeightRules(Map<WeightKind, Regularizer> regularizers, Map<WeightKind, Constraint> constraints) {
    /** Copies both maps; kinds that are not in them are left free. */
    public WeightRules {
        regularizers = Map.copyOf(regularizers);
        constraints = Map.copyOf(constraints);
    }

    /** Adds the penalties' gradients. */
    void penalize(Backend backend, Parameters weights, Parameters gradients) {
        forEach(regularizers, weights, (name, rule) -> {
            Tensor w = weights.get(name);
            backend.addPenaltyGradient(w, rule.l1(), rule.l2(), gradients.get(name));
        });
    }

    /** Puts the weights within their limits. */
    void constrain(Backend backend, Parameters weights) {
        forEach(constraints, weights, (name, rule) -> backend.constrain(rule, weights.get(name)));
    }

    private static <R> void forEach(Map<WeightKind, R> rules, Parameters weights, BiConsumer<String, R> body) {
        for (String name : weights.views().keySet()) {
            rules.forEach((kind, rule) -> {
                if (kind.holds(name)) body.accept(name, rule);
            });
        }
    }
}
