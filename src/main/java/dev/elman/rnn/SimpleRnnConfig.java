package dev.elman.rnn;

import dev.elman.backend.Activation;

/**
 * The shape and the habits of a {@link SimpleRnn}.
 *
 * @param inputSize D
 * @param hiddenSize H
 * @param activation tanh unless said otherwise
 * @param bias whether there is a b
 * @param bidirectional whether a second direction, with weights of its own, runs from the end; C is then 2H, else H
 * @param output what the layer returns
 * @param stateful whether a call begins with the states in which the one before ended
 */
public record SimpleRnnConfig(
        int inputSize,
        int hiddenSize,
        Activation activation,
        boolean bias,
        boolean bidirectional,
        Output output,
        boolean stateful) {

    public SimpleRnnConfig {
        requireSizes(inputSize, hiddenSize);
    }

    /** Throws {@link IllegalArgumentException} for sizes that no layer can have. */
    public static void requireSizes(int inputSize, int hiddenSize) {
        if (inputSize < 1 || hiddenSize < 1 || hiddenSize > Integer.MAX_VALUE / 2) {
            throw new IllegalArgumentException("SimpleRnn needs D >= 1 and H from 1 to 2^30 - 1, but D = " + inputSize
                    + " and H = " + hiddenSize + ".");
        }
    }

    /** One direction, tanh, with bias, returning every step. */
    public static SimpleRnnConfig of(int inputSize, int hiddenSize) {
        return new SimpleRnnConfig(inputSize, hiddenSize, Activation.TANH, true, false, Output.SEQUENCE, false);
    }

    public SimpleRnnConfig withActivation(Activation changed) {
        return new SimpleRnnConfig(inputSize, hiddenSize, changed, bias, bidirectional, output, stateful);
    }

    public SimpleRnnConfig withBias(boolean changed) {
        return new SimpleRnnConfig(inputSize, hiddenSize, activation, changed, bidirectional, output, stateful);
    }

    public SimpleRnnConfig withBidirectional(boolean changed) {
        return new SimpleRnnConfig(inputSize, hiddenSize, activation, bias, changed, output, stateful);
    }

    public SimpleRnnConfig withOutput(Output changed) {
        return new SimpleRnnConfig(inputSize, hiddenSize, activation, bias, bidirectional, changed, stateful);
    }

    public SimpleRnnConfig withStateful(boolean changed) {
        return new SimpleRnnConfig(inputSize, hiddenSize, activation, bias, bidirectional, output, changed);
    }

    /** 1 or 2. */
    public int directions() {
        return bidirectional ? 2 : 1;
    }

    /** C, the channels that the layer returns: H for each direction. */
    public int outputSize() {
        return directions() * hiddenSize;
    }
}
