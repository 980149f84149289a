package dev.elman.train;

/**
 * Told of the training as it goes. Both methods are called on the training thread. To interrupt that thread ends the training,
 * too, if it trains without a team: after the minibatch that runs, with the weights of the last whole epoch or, with {@link
 * Trainer.Builder#patience}, the best ones. The thread stays interrupted.
 */
public interface Callback {
    /** After each minibatch. */
    default void onBatchEnd(Progress progress) {}

    /**
     * After each epoch; false ends the training, as early stopping does. In a {@link Team} each worker asks its own callbacks,
     * and false from any of them ends the training of all after that epoch.
     */
    default boolean onEpochEnd(EpochResult result) {
        return true;
    }
}
