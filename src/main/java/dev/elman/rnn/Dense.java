package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.List;
import java.util.Random;

/** y [M,K] = x [M,D] w [D,K] + b [K], or, tied to an embedding's table [K,D], y = x table^T + b (Press and Wolf 2017). */
public final class Dense implements AutoCloseable {
    private static final String W = ".w";
    private static final String B = ".b";

    private final Backend backend;
    /** Whether w is [K,D], shared with an embedding. */
    private final boolean tied;

    private final Tensor w;
    private final Tensor b;
    private final Tensor dw;
    private final Tensor db;
    private final Buffer y;
    private final Buffer dx;
    private Tensor x;

    /** The parameters that a dense layer of this name needs: {@code name.w} [D,K] and {@code name.b} [K]. */
    public static List<Parameters.Spec> specs(String name, int inputs, int outputs) {
        return List.of(
                new Parameters.Spec(name + W, Shape.of(inputs, outputs)),
                new Parameters.Spec(name + B, Shape.of(outputs)));
    }

    /** What a layer of this name needs that is tied to an embedding: {@code name.b} [K]. */
    public static List<Parameters.Spec> tiedSpecs(String name, int outputs) {
        return List.of(new Parameters.Spec(name + B, Shape.of(outputs)));
    }

    /**
     * A layer over views of {@code weights} and {@code gradients}, whose owner closes them; the gradients may be null for a
     * layer that is never run back.
     */
    public Dense(Backend backend, String name, Parameters weights, Parameters gradients) {
        this(backend, name, name + W, false, weights, gradients);
    }

    /** A layer whose weights are the table of the embedding of this name; both add to its one gradient. */
    public static Dense tied(Backend backend, String name, String embedding, Parameters weights, Parameters gradients) {
        return new Dense(backend, name, embedding + Embedding.TABLE, true, weights, gradients);
    }

    private Dense(Backend backend, String name, String kernel, boolean tied, Parameters weights, Parameters gradients) {
        this.backend = backend;
        this.tied = tied;
        this.w = weights.get(kernel);
        this.b = weights.get(name + B);
        this.dw = gradients == null ? null : gradients.get(kernel);
        this.db = gradients == null ? null : gradients.get(name + B);
        this.y = new Buffer(backend);
        this.dx = new Buffer(backend);
    }

    /** Draws the weights anew, unless they are an embedding's, and sets the bias to 0. */
    public void initialize(Initializer initializer, Random random) {
        if (!tied) w.set(initializer.values(w.shape().extent(0), w.shape().extent(1), random));
        backend.fill(b, 0);
    }

    /** y [.., K] for x [.., D], which must stay as it is until {@link #backward}. */
    public Tensor forward(Tensor x) {
        this.x = x;
        Tensor out = y.of(x.shape().withLast(b.shape().extent(0)));
        if (tied) backend.linearForward(x, w, b, out);
        else backend.denseForward(x, w, b, out);
        return out;
    }

    /**
     * Adds to the gradients of w and b and returns dx [.., D].
     *
     * @throws IllegalStateException when there was no forward pass to go back through, or the layer has no gradients
     */
    public Tensor backward(Tensor dy) {
        WayBack.requireGradients("Dense.backward", dw);
        WayBack.requireForward("Dense.backward", x);
        Tensor out = dx.of(x.shape());
        if (tied) backend.linearBackward(x, w, dy, out, dw, db);
        else backend.denseBackward(x, w, dy, out, dw, db);
        return out;
    }

    @Override
    public void close() {
        y.close();
        dx.close();
    }
}
