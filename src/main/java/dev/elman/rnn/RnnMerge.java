package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Tensor;

/** Two directions as one, see {@link Merge}, and the way back. One direction is left as it is. */
final class RnnMerge {
    private final Backend backend;
    private final SimpleRnnConfig config;

    RnnMerge(Backend backend, SimpleRnnConfig config) {
        this.backend = backend;
        this.config = config;
    }

    /** y [..,C] of two directions [..,H]. */
    void forward(Tensor first, Tensor second, Tensor y) {
        int hidden = config.hiddenSize();
        switch (config.merge()) {
            case CONCAT -> {
                backend.copyColumns(first, 0, y, 0, hidden);
                backend.copyColumns(second, 0, y, hidden, hidden);
            }
            case SUM -> {
                backend.copy(first, y);
                backend.axpy(1, second, y);
            }
            case MUL -> backend.multiply(first, second, y);
            case AVE -> {
                backend.fill(y, 0);
                backend.axpy(.5, first, y);
                backend.axpy(.5, second, y);
            }
        }
    }

    /** dOwn [..,H] = the gradient of direction i at dy [..,C]; {@code other} is what the other direction put in. */
    void backward(Tensor dy, int i, Tensor other, Tensor dOwn) {
        if (config.directions() == 1) {
            backend.copy(dy, dOwn);
            return;
        }
        switch (config.merge()) {
            case CONCAT -> backend.copyColumns(dy, i * config.hiddenSize(), dOwn, 0, config.hiddenSize());
            case SUM -> backend.copy(dy, dOwn);
            case MUL -> backend.multiply(dy, other, dOwn);
            case AVE -> {
                backend.fill(dOwn, 0);
                backend.axpy(.5, dy, dOwn);
            }
        }
    }
}
