package dev.elman.train;

import java.util.List;

/**
 * What a training went through.
 *
 * @param epochs in order
 * @param bestEpoch whose weights the model has now: the one of the lowest validation loss where weights were restored,
 *     else the last
 */
public record History(List<EpochResult> epochs, int bestEpoch) {
    /** Copies the list, and throws {@link NullPointerException} for a null in it. */
    public History {
        epochs = List.copyOf(epochs);
    }

    /** The epoch that ended last. */
    public EpochResult last() {
        return epochs.get(epochs.size() - 1);
    }
}
