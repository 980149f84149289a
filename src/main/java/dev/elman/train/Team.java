package dev.elman.train;

import java.util.List;

/**
 * Workers that train one model together, as one of them sees them. Each calls {@code fit} with the same data, model and
 * trainer. A batch of the trainer is cut into one share a worker; what the workers compute for their shares is added up, so
 * that all of them take the very step that one alone would take for the whole batch, up to rounding. They end after the same
 * epoch, whichever of them had a {@link Callback} that asked for it.
 */
public interface Team {
    /** How many workers there are (world size). */
    int size();

    /** Which one this is, counted from 0; {@code fit} refuses others than 0 to {@link #size} - 1. */
    int rank();

    /**
     * Replaces the values by their sums over all workers (an all-reduce), with the same bits for each. Every worker calls this equally often;
     * not called in a team of one.
     */
    void sum(float[] values);

    /**
     * Told before each epoch, counted from 1, which rows its batches hold, so that the rows of this worker's shares can be
     * brought here; and once more for the last one when it is done, since its first batch shows whether the last weights are
     * finite, unless the training gives earlier ones back. Those that came are checked as {@code fit} checks the others.
     */
    default void startEpoch(int epoch, List<int[]> batches) {}

    /** Where the share of a worker begins in a batch of this many rows; it ends where the next one's begins. */
    static int shareStart(int rows, int rank, int size) {
        return (int) ((long) rows * rank / size);
    }

    /** A team of one. */
    static Team alone() {
        return new Team() {
            @Override
            public int size() {
                return 1;
            }

            @Override
            public int rank() {
                return 0;
            }

            @Override
            public void sum(float[] values) {
                // One worker's values are the sums already.
            }
        };
    }
}
