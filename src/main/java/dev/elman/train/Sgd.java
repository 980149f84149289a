package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Parameters;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.List;

/**
 * Stochastic gradient descent; see {@link SgdStep} for the formulas.
 *
 * @param learningRate before any schedule; positive
 * @param momentum how much of the velocity stays at each step; at least 0 and below 1, and 0 keeps none
 * @param nesterov whether a step looks ahead along the velocity; takes a momentum
 * @param weightDecay at least 0; joins the gradients of all weights, the biases too, as in PyTorch
 */
public record Sgd(double learningRate, double momentum, boolean nesterov, double weightDecay) implements Optimizer {
    /**
     * Checks the settings.
     *
     * @throws IllegalArgumentException when one is out of its range, or Nesterov's way lacks a momentum
     */
    public Sgd {
        Require.learningRate(learningRate);
        Require.below(1, "momentum", momentum);
        Require.below(Double.POSITIVE_INFINITY, "weightDecay", weightDecay);
        if (nesterov && momentum == 0) {
            throw new IllegalArgumentException("Nesterov's way needs a momentum above 0. Try 0.9.");
        }
    }

    /**
     * 0 in {@link Optimizer#sgd}, 0.9 is usual. Above 0 it takes memory of the size of the weights. Throws {@link
     * IllegalArgumentException} for 0 while {@link #nesterov} is set.
     */
    public Sgd withMomentum(double changed) {
        return new Sgd(learningRate, changed, nesterov, weightDecay);
    }

    /**
     * False in {@link Optimizer#sgd}. Throws {@link IllegalArgumentException} for true without a momentum: call {@link
     * #withMomentum} first.
     */
    public Sgd withNesterov(boolean changed) {
        return new Sgd(learningRate, momentum, changed, weightDecay);
    }

    /** 0 in {@link Optimizer#sgd}. Joins the gradients after they are clipped, where a {@link Regularizer} joins before. */
    public Sgd withWeightDecay(double changed) {
        return new Sgd(learningRate, momentum, nesterov, changed);
    }

    @Override
    public Updater start(Backend backend, Parameters weights, Parameters gradients) {
        Shape size = weights.flat().shape();
        Buffer velocity = new Buffer(backend);
        return new Updater() {
            @Override
            public List<Tensor> moments() {
                return momentum == 0 ? List.of() : List.of(velocity.of(size));
            }

            @Override
            public void resume(long steps) {
                // No step depends on its number.
            }

            @Override
            public void step(double rate) {
                SgdStep step = new SgdStep(rate, momentum, nesterov, weightDecay);
                backend.sgdStep(step, weights.flat(), gradients.flat(), momentum == 0 ? null : velocity.of(size));
            }

            @Override
            public void close() {
                velocity.close();
            }
        };
    }
}
