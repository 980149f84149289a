package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Dropout;
import dev.elman.backend.Tensor;

/** Sets some elements to 0 while training; which ones depends on the seed of the call only. */
public final class DropoutLayer implements AutoCloseable {
    private final Backend backend;
    private final double rate;
    private final Buffer y;
    private Dropout last;

    /**
     * A dropout of this rate.
     *
     * @throws IllegalArgumentException unless 0 &lt;= rate &lt; 1
     */
    public DropoutLayer(Backend backend, double rate) {
        this.backend = backend;
        this.rate = new Dropout(rate, 0, 0).rate();
        this.y = new Buffer(backend);
    }

    /**
     * x with some elements dropped, or x itself at rate 0.
     *
     * @param seed must differ between calls and between layers
     * @param firstRow number that row 0 of x has in the whole batch; 0 unless x is a share of it
     */
    public Tensor forward(Tensor x, long seed, int firstRow) {
        if (rate == 0) return x;
        last = new Dropout(rate, seed, firstRow);
        Tensor out = y.of(x.shape());
        backend.dropout(last, x, out);
        return out;
    }

    /**
     * Drops the same elements of the gradient, in place.
     *
     * @throws IllegalStateException when there was no forward pass, unless nothing is dropped
     */
    public void backward(Tensor dy) {
        if (rate == 0) return;
        WayBack.requireForward("DropoutLayer.backward", last);
        backend.dropout(last, dy, dy);
    }

    @Override
    public void close() {
        y.close();
    }
}
