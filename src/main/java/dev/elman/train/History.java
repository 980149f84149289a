package dev.elman.train;

import java.util.List;
import java.util.NoSuchElementException;

/**
 * What a training went through.
 *
 * @param epochs in order; none if the training was interrupted in the first
 * @param bestEpoch whose weights the model has now: the one of the lowest validation loss where weights were restored,
 *     else the last; 0 for the weights that it began with
 */
public record History(List<EpochResult> epochs, int bestEpoch) {
    /** Copies the list, and throws {@link NullPointerException} for a null in it. */
    public History {
        epochs = List.copyOf(epochs);
    }

    /**
     * The epoch that ended last.
     *
     * @throws NoSuchElementException when there is none
     */
    public EpochResult last() {
        if (epochs.isEmpty()) throw new NoSuchElementException("The training was interrupted in its first epoch.");
        return epochs.get(epochs.size() - 1);
    }
}
