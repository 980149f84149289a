package dev.elman.train;

/** The loss or the gradient is no longer a number; the model has the weights of the last good epoch. */
public final class TrainingDivergedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int epoch;
    private final int batch;

    TrainingDivergedException(int epoch, int batch, double loss, double norm, double learningRate) {
        super("Training diverged in epoch " + epoch + ", batch " + batch + ": loss " + loss + ", gradient norm " + norm
                + ", learning rate " + learningRate + ". The model has "
                + (epoch == 1
                        ? "its weights from before the training"
                        : "the weights of the end of epoch " + (epoch - 1))
                + ". Try a smaller learning rate, or clipNorm(1).");
        this.epoch = epoch;
        this.batch = batch;
    }

    /** Counted from 1. */
    public int epoch() {
        return epoch;
    }

    /** Counted from 1. */
    public int batch() {
        return batch;
    }
}
