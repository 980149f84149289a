package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Parameters;
import dev.elman.backend.Tensor;
import java.util.List;

/** How weights follow their gradients. Immutable; {@link #start} makes the part that remembers. */
public sealed interface Optimizer permits Sgd, Adam {
    /** The rate before any schedule; positive. */
    double learningRate();

    /** Moments for these weights, all 0, to be closed by the caller. */
    Updater start(Backend backend, Parameters weights, Parameters gradients);

    /** An optimizer with its moments. */
    interface Updater extends AutoCloseable {
        /** What it remembers, one tensor a moment, each of the weights' size; to be read, or set together with {@link #resume}. */
        List<Tensor> moments();

        /** Goes on as after this many steps. */
        void resume(long steps);

        /** One step along the gradients as they are now, at this rate, whatever {@link Optimizer#learningRate} is. */
        void step(double learningRate);

        @Override
        void close();
    }

    /** Plain stochastic gradient descent. */
    static Sgd sgd(double learningRate) {
        return new Sgd(learningRate, 0, false, 0);
    }

    /** Adam with PyTorch's and the paper's defaults: beta1 0.9, beta2 0.999, epsilon 1e-8. */
    static Adam adam(double learningRate) {
        return new Adam(learningRate, 0.9, 0.999, 1e-8, 0, false);
    }

    /** Adam with decoupled weight decay; PyTorch's default decay is 0.01. */
    static Adam adamW(double learningRate, double weightDecay) {
        return new Adam(learningRate, 0.9, 0.999, 1e-8, weightDecay, true);
    }
}
