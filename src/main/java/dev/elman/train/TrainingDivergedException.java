package dev.elman.train;

/**
 * The loss or the gradient is no longer a number; the model has the weights of the last epoch's end that gave a number
 * afterwards, or with patience those of the epoch whose validation loss was the lowest.
 */
public final class TrainingDivergedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Counted from 1. */
    private final int epoch;
    /** Counted from 1. */
    private final int batch;
    /** Counted from 1; 0 for none. The best one where patience keeps it. */
    private final int lastGoodEpoch;

    /**
     * @param found what is no number: of that batch, or after its step
     * @param steps how many were taken
     * @param learningRate of the last of them
     */
    TrainingDivergedException(
            int epoch,
            int batch,
            String found,
            long steps,
            double learningRate,
            double clipNorm,
            int lastGoodEpoch,
            boolean best) {
        super("Training diverged in epoch " + epoch + ", batch " + batch + ": " + found
                + (steps == 0 ? "" : ", learning rate " + learningRate)
                + ". The model has "
                + (lastGoodEpoch == 0
                        ? "its weights from before the training"
                        : (best ? "its best weights, those" : "the weights") + " of the end of epoch " + lastGoodEpoch)
                + ". " + remedy(epoch, steps, clipNorm));
        this.epoch = epoch;
        this.batch = batch;
        this.lastGoodEpoch = lastGoodEpoch;
    }

    private static String remedy(int epoch, long steps, double clipNorm) {
        if (steps == 0) {
            return "No step was taken yet: look at the weights that it began with, and at the input.";
        }
        return "Try a smaller learning rate" + (clipNorm > 1 ? ", or clipNorm(1)" : "")
                + (epoch == 1 ? "; or look at the input" : "") + ".";
    }

    /** Counted from 1. */
    public int epoch() {
        return epoch;
    }

    /** Counted from 1. */
    public int batch() {
        return batch;
    }

    /**
     * The epoch whose last weights the model has, counted from 1: with patience the best one, else the last one that was
     * good; 0 for its weights from before the training.
     */
    public int lastGoodEpoch() {
        return lastGoodEpoch;
    }
}
