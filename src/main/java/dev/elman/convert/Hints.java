package dev.elman.convert;

import dev.elman.backend.Activation;
import dev.elman.rnn.Output;

/**
 * What a user says of a file that does not say it itself. All of it may be null.
 *
 * @param activation of the recurrence
 * @param output what the recurrent layer returns
 * @param embedding name of the embedding, as in {@code model.token_embedding}
 * @param dense name of the dense layer, as in {@code model.head}
 */
public record Hints(Activation activation, Output output, String embedding, String dense) {
    /** Nothing said. */
    public static final Hints NONE = new Hints(null, null, null, null);

    public Hints withActivation(Activation changed) {
        return new Hints(changed, output, embedding, dense);
    }

    public Hints withOutput(Output changed) {
        return new Hints(activation, changed, embedding, dense);
    }

    public Hints withEmbedding(String name) {
        return new Hints(activation, output, name, dense);
    }

    public Hints withDense(String name) {
        return new Hints(activation, output, embedding, name);
    }
}
