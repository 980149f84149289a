package dev.elman.train;

/**
 * The loss or the gradient is no longer a number; the model has the weights of the last epoch's end that gave a number
 * afterwards.
 */
public final class TrainingDivergedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int epoch;
    private final int batch;
    private final int keptEpoch;

    TrainingDivergedException(int epoch, int batch, double loss, double norm, double learningRate, int keptEpoch) {
        super("Training diverged in epoch " + epoch + ", batch " + batch + ": loss " + loss + ", gradient norm " + norm
                + ", learning rate " + learningRate + ". The model has "
                + (keptEpoch == 0
                        ? "its weights from before the training"
                        : "the weights of the end of epoch " + keptEpoch)
                + ". Try a smaller learning rate, or clipNorm(1).");
        this.epoch = epoch;
        this.batch = batch;
        this.keptEpoch = keptEpoch;
    }

    /** Counted from 1. */
    public int epoch() {
        return epoch;
    }

    /** Counted from 1. */
    public int batch() {
        return batch;
    }

    /** The epoch whose last weights the model has, counted from 1; 0 for its weights from before the training. */
    public int keptEpoch() {
        return keptEpoch;
    }
}
