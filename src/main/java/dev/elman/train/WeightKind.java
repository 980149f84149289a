package dev.elman.train;

import java.util.regex.Pattern;

/** The kinds of weights in a model, each of which may have a {@link Regularizer} and a constraint of its own. */
public enum WeightKind {
    /** Wx of every layer and direction (Keras: kernel). */
    KERNEL("rnn\\..*\\.wx"),
    /** Wh of every layer and direction (Keras: recurrent_kernel). */
    RECURRENT("rnn\\..*\\.wh"),
    /** Every bias of the recurrent layers. */
    BIAS("rnn\\..*\\.bh?"),
    /** The embedding's table, shared or not. */
    EMBEDDING("embedding\\.table"),
    /** The weights of the dense layer at the end. */
    OUTPUT("dense\\.w"),
    /** Its bias. */
    OUTPUT_BIAS("dense\\.b");

    private final Pattern names;

    WeightKind(String names) {
        this.names = Pattern.compile(names);
    }

    /** Whether the parameter of this name is of this kind. */
    boolean holds(String parameter) {
        return names.matcher(parameter).matches();
    }
}
