package dev.elman.train;

/**
 * Told of the training as it goes. Both methods are called on the training thread. To interrupt that thread ends the training,
 * too, after the epoch that runs, if it trains without a team; it stays interrupted.
 */
public interface Callback {
    /** After each minibatch. */
    default void onBatchEnd(Progress progress) {}

    /** After each epoch; false ends the training, as early stopping does. */
    default boolean onEpochEnd(EpochResult result) {
        return true;
    }
}
