package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Parameters;
import dev.elman.backend.Tensor;
import java.util.Map;

/** What a {@link Trainer} trains: weights, their gradients, and batches to learn from. */
interface Learner {
    Backend backend();

    RnnNetwork network();

    default Parameters weights() {
        return network().weights();
    }

    default Parameters gradients() {
        return network().gradients();
    }

    /** What decides a training's bits besides the trainer, by name, for its checkpoints; nothing where there are none. */
    default Map<String, String> settings() {
        return Map.of();
    }

    /**
     * Runs forward and backward over the largest batch shapes, so that later batches need no further memory. Does nothing if
     * the first batch is the largest, or the largest is unknown. Adds to the gradients. Called after the first {@link
     * #startEpoch}, which may have to bring the rows.
     *
     * @param metrics [2], overwritten
     */
    default void warmUp(Tensor metrics) {}

    /** Puts the batches of an epoch, counted from 1, in order and returns their number, the same for each epoch. */
    int startEpoch(int epoch);

    /**
     * Forward and backward over one batch, counted from 0, or over this worker's share of it: adds to the gradients of the
     * whole batch's mean loss.
     *
     * @param metrics [2], overwritten: {what the share adds to that mean loss, number of hits}
     * @param step number of the step in the whole training, counted from 0, for what is drawn anew each step
     * @return number of targets of the whole batch, or their weight
     */
    double learn(int batch, long step, Tensor metrics);

    /** Whether there is data that is held back. */
    default boolean validates() {
        return false;
    }

    /** Loss and accuracy on data that is held back, or null when there is none. */
    default Metrics validate() {
        return null;
    }
}
