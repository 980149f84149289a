package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Parameters;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Tensor;
import java.util.List;

/** Stochastic gradient descent; see {@link SgdStep} for the formulas. */
public record Sgd(double learningRate, double momentum, boolean nesterov, double weightDecay) implements Optimizer {
    public Sgd {
        Optimizer.requireRate(learningRate);
        Optimizer.requireRange("momentum", momentum, 1);
        Optimizer.requireRange("weightDecay", weightDecay, Double.POSITIVE_INFINITY);
        if (nesterov && momentum == 0) {
            throw new IllegalArgumentException("Nesterov's way needs a momentum above 0. Try 0.9.");
        }
    }

    public Sgd withMomentum(double changed) {
        return new Sgd(learningRate, changed, nesterov, weightDecay);
    }

    public Sgd withNesterov(boolean changed) {
        return new Sgd(learningRate, momentum, changed, weightDecay);
    }

    public Sgd withWeightDecay(double changed) {
        return new Sgd(learningRate, momentum, nesterov, changed);
    }

    @Override
    public Updater start(Backend backend, Parameters weights, Parameters gradients) {
        Tensor velocity = momentum == 0 ? null : backend.allocate(weights.flat().shape());
        return new Updater() {
            @Override
            public List<Tensor> moments() {
                return velocity == null ? List.of() : List.of(velocity);
            }

            @Override
            public void resume(long steps) {
                // No step depends on its number.
            }

            @Override
            public void step(double rate) {
                backend.sgdStep(
                        new SgdStep(rate, momentum, nesterov, weightDecay), weights.flat(), gradients.flat(), velocity);
            }

            @Override
            public void close() {
                if (velocity != null) velocity.close();
            }
        };
    }
}
