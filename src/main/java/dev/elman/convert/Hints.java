package dev.elman.convert;

import dev.elman.backend.Activation;
import dev.elman.rnn.Output;

/**
 * What a user says of a file that does not say it itself. What is null is not said.
 *
 * @param activation of the recurrence
 * @param output what the recurrent layer returns
 * @param recurrentBias whether PyTorch's two biases stay two, to be trained as PyTorch trains them, or become their sum
 * @param embedding name of the embedding, as in {@code model.token_embedding}
 * @param dense name of the dense layer, as in {@code model.head}
 */
public record Hints(Activation activation, Output output, boolean recurrentBias, String embedding, String dense) {
    /** Nothing said. */
    public static final Hints NONE = new Hints(null, null, false, null, null);

    public Hints withActivation(Activation changed) {
        return new Hints(changed, output, recurrentBias, embedding, dense);
    }

    public Hints withOutput(Output changed) {
        return new Hints(activation, changed, recurrentBias, embedding, dense);
    }

    public Hints withRecurrentBias(boolean changed) {
        return new Hints(activation, output, changed, embedding, dense);
    }

    public Hints withEmbedding(String name) {
        return new Hints(activation, output, recurrentBias, name, dense);
    }

    public Hints withDense(String name) {
        return new Hints(activation, output, recurrentBias, embedding, name);
    }
}
