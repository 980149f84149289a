package dev.elman.train;

import dev.elman.backend.AdamStep;
import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.List;

/**
 * Adam, or AdamW when the weight decay is decoupled; see {@link AdamStep} for the formulas.
 *
 * @param learningRate before any schedule; positive
 * @param beta1 how much of the mean of the gradients stays at each step; at least 0 and below 1
 * @param beta2 how much of the mean of their squares stays; at least 0 and below 1
 * @param epsilon keeps weights without gradients from 0 / 0; positive, in float32 too. 1e-8 in {@link Optimizer#adam}, 1e-7 in Keras
 * @param weightDecay at least 0; acts on all weights, the biases too, after clipping
 * @param decoupled whether the decay shrinks the weights themselves (AdamW) and does not join their gradients
 */
public record Adam(
        double learningRate, double beta1, double beta2, double epsilon, double weightDecay, boolean decoupled)
        implements Optimizer {
    /**
     * Checks the settings.
     *
     * @throws IllegalArgumentException when one is out of its range
     */
    public Adam {
        Require.learningRate(learningRate);
        Require.below(1, "beta1", beta1);
        Require.below(1, "beta2", beta2);
        if (!((float) epsilon > 0 && Float.isFinite((float) epsilon))) {
            // With 0, a weight that never had a gradient, of a token never seen for one, becomes 0 / 0.
            throw new IllegalArgumentException(
                    "epsilon must be positive and finite in float32, too, but is " + epsilon + ".");
        }
        Require.below(Double.POSITIVE_INFINITY, "weightDecay", weightDecay);
    }

    /** 0.9 and 0.999 in {@link Optimizer#adam}. */
    public Adam withBetas(double first, double second) {
        return new Adam(learningRate, first, second, epsilon, weightDecay, decoupled);
    }

    /** 1e-8 in {@link Optimizer#adam}. */
    public Adam withEpsilon(double changed) {
        return new Adam(learningRate, beta1, beta2, changed, weightDecay, decoupled);
    }

    /** 0 in {@link Optimizer#adam}. Joins the gradients after they are clipped; of AdamW it shrinks the weights. */
    public Adam withWeightDecay(double changed) {
        return new Adam(learningRate, beta1, beta2, epsilon, changed, decoupled);
    }

    @Override
    public Updater start(Backend backend, Parameters weights, Parameters gradients) {
        Shape size = weights.flat().shape();
        Buffer m = new Buffer(backend);
        Buffer v = new Buffer(backend);
        return new Updater() {
            private long steps;

            @Override
            public List<Tensor> moments() {
                return List.of(m.of(size), v.of(size));
            }

            @Override
            public void resume(long before) {
                steps = before;
            }

            @Override
            public void step(double rate) {
                steps++;
                AdamStep step = new AdamStep(rate, beta1, beta2, epsilon, weightDecay, decoupled, steps);
                backend.adamStep(step, weights.flat(), gradients.flat(), m.of(size), v.of(size));
            }

            @Override
            public void close() {
                m.close();
                v.close();
            }
        };
    }
}
