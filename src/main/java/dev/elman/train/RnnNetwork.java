package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Tensor;
import dev.elman.rnn.Dense;
import dev.elman.rnn.DropoutLayer;
import dev.elman.rnn.Embedding;
import dev.elman.rnn.Initializer;
import dev.elman.rnn.Initializers;
import dev.elman.rnn.SimpleRnn;
import dev.elman.rnn.SimpleRnnConfig;
import dev.elman.rnn.Training;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.ReentrantLock;

/** The layers of every model here, from ids or features to logits and back: embedding, SimpleRnn, dense, with dropout between. */
final class RnnNetwork {
    private static final String EMBEDDING = "embedding";
    private static final String RNN = "rnn";
    private static final String DENSE = "dense";

    private final Parameters weights;
    /** Null where nothing is trained. */
    private final Parameters gradients;

    /** Null when the input is features. */
    private final Embedding embedding;

    private final DropoutLayer inputDropout;
    private final SimpleRnn rnn;
    private final DropoutLayer dropout;
    private final Dense dense;
    private final ReentrantLock user = new ReentrantLock();
    private boolean closed;

    /**
     * Names and shapes of the weights of such a network.
     *
     * @param vocabulary V; 0 when the input is features
     * @param classes K
     * @param tied whether the dense layer's weights are the embedding's; that takes C = D and K = V
     */
    static List<Parameters.Spec> specs(int vocabulary, SimpleRnnConfig config, int classes, boolean tied) {
        List<Parameters.Spec> specs = new ArrayList<>();
        if (vocabulary > 0) specs.addAll(Embedding.specs(EMBEDDING, vocabulary, config.inputSize()));
        specs.addAll(SimpleRnn.specs(RNN, config));
        specs.addAll(tied ? Dense.tiedSpecs(DENSE, classes) : Dense.specs(DENSE, config.outputSize(), classes));
        return specs;
    }

    /**
     * Layers over weights of those {@link #specs}, which the network closes.
     *
     * @param tokens whether the input is ids, and not features
     * @param gradients of the same shapes, closed here too; null for a network that only predicts
     */
    RnnNetwork(
            Backend backend,
            boolean tokens,
            SimpleRnnConfig config,
            double inputDropoutRate,
            double dropoutRate,
            boolean tied,
            Parameters weights,
            Parameters gradients) {
        this.weights = weights;
        this.gradients = gradients;
        embedding = tokens ? new Embedding(backend, EMBEDDING, weights, gradients) : null;
        inputDropout = new DropoutLayer(backend, inputDropoutRate);
        rnn = new SimpleRnn(backend, config, RNN, weights, gradients);
        dropout = new DropoutLayer(backend, dropoutRate);
        dense = tied
                ? Dense.tied(backend, DENSE, EMBEDDING, weights, gradients)
                : new Dense(backend, DENSE, weights, gradients);
    }

    /**
     * Draws first weights: uniform(0.5) for the embedding, Keras's choices for the rest. Closes the network if that fails, as where
     * the heap is too small: its model does not come to be then.
     */
    void initialize(long seed) {
        try {
            Random random = Seeds.random(seed);
            if (embedding != null) embedding.initialize(Initializer.uniform(0.5), random);
            rnn.initialize(Initializers.kerasDefaults(), random);
            dense.initialize(Initializer.glorotUniform(), random);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    Parameters weights() {
        return weights;
    }

    Parameters gradients() {
        return gradients;
    }

    /** The recurrent layer, for its states between calls. */
    SimpleRnn rnn() {
        return rnn;
    }

    /**
     * What an operation of the model comes to; its thread may begin others meanwhile.
     *
     * @throws IllegalStateException after {@link #close}, and while another thread is in one
     */
    <T, E extends Exception> T alone(String operation, Work<T, E> work) throws E {
        enter(operation);
        try {
            requireOpen(operation);
            return work.run();
        } finally {
            user.unlock();
        }
    }

    /** What {@link #alone} runs. */
    interface Work<T, E extends Exception> {
        T run() throws E;
    }

    /** Writes the weights as a model of this kind, with what else it is made of; see {@link ModelFile}. */
    void save(Path file, String kind, Map<String, String> metadata) throws IOException {
        alone("save", () -> {
            ModelFile.write(file, kind, metadata, weights);
            return file;
        });
    }

    private void enter(String operation) {
        if (user.tryLock()) return;
        throw new IllegalStateException(operation + ": another thread is using this model, which is for one at a time."
                + " Lock around it, or give each thread a model of its own.");
    }

    /** Throws {@link IllegalStateException} after {@link #close}. */
    private void requireOpen(String operation) {
        if (closed) throw new IllegalStateException(operation + ": this model is closed. Create or load another.");
    }

    /**
     * Closes the network, and before it what the model has besides.
     *
     * @throws IllegalStateException while another thread is in an operation, or in a callback of one
     */
    void close(Runnable rest) {
        enter("close");
        try {
            if (user.getHoldCount() > 1) {
                throw new IllegalStateException("close: this model is at work. Close it when the call has returned;"
                        + " a callback that returns false ends a fit after the epoch.");
            }
            rest.run();
            close();
        } finally {
            user.unlock();
        }
    }

    /** Logits [N,K], or [T,N,K] of a layer that returns the sequence; nothing dropped. */
    Tensor predict(Minibatch batch) {
        return predict(input(batch), batch.mask());
    }

    /** The same for ids [T,N], which the caller has checked, and a mask [T,N] or null. */
    Tensor predict(IntTensor ids, IntTensor mask) {
        return predict(embedding.forward(ids), mask);
    }

    /** The same for features [T,N,D]. */
    Tensor predict(Tensor x, IntTensor mask) {
        return dense.forward(rnn.forward(x, mask));
    }

    /**
     * The same logits for training.
     *
     * @param seed decides what is dropped
     * @param firstRow number that row 0 has in the whole batch
     */
    Tensor forward(Minibatch batch, long seed, int firstRow) {
        Tensor x = inputDropout.forward(input(batch), 2 * seed, firstRow);
        Tensor vector = rnn.forward(x, batch.mask(), null, new Training(seed, firstRow));
        return dense.forward(dropout.forward(vector, 2 * seed + 1, firstRow));
    }

    private Tensor input(Minibatch batch) {
        return embedding == null ? batch.features() : embedding.forward(batch.ids());
    }

    /** Adds to the gradients, after {@link #forward}; dLogits may lie where the logits lay. */
    void backward(Tensor dLogits) {
        Tensor dVector = dense.backward(dLogits);
        dropout.backward(dVector);
        Tensor dx = rnn.backward(dVector, null, embedding != null);
        if (embedding == null) return;
        inputDropout.backward(dx);
        embedding.backward(dx);
    }

    private void close() {
        closed = true;
        if (embedding != null) embedding.close();
        inputDropout.close();
        rnn.close();
        dropout.close();
        dense.close();
        weights.close();
        if (gradients != null) gradients.close();
    }
}
