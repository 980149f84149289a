package dev.elman.rnn;

import dev.elman.backend.Activation;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The shape and the settings of a {@link SimpleRnn}. {@link #of} gives the plain one, and the {@code with} methods a changed
 * copy. In parentheses: the name in Keras's SimpleRNN and in torch.nn.RNN.
 *
 * @param inputSize D (torch: input_size)
 * @param hiddenSize H (units, hidden_size)
 * @param layers how many lie on top of each other; each above the first reads all directions of the one below, side by
 *     side (torch: num_layers)
 * @param activation tanh unless said otherwise (activation, nonlinearity)
 * @param bias whether there is a b (use_bias, bias)
 * @param recurrentBias whether there is a second bias; the step sees the sum of both, and each is trained, so that the sum
 *     learns twice as fast: torch's bias_ih and bias_hh
 * @param bidirectional whether a second direction, with weights of its own, runs from the end (Bidirectional,
 *     bidirectional)
 * @param merge how the two directions of the top layer become one (merge_mode)
 * @param goBackwards whether one direction reads from the end and returns its steps in the order in which it ran them
 *     (Keras: go_backwards)
 * @param output what the layer returns (return_sequences)
 * @param zeroOutputForMask whether the sequence is 0 at masked steps, where Keras else repeats the last output; two
 *     directions always do that (zero_output_for_mask)
 * @param stateful whether a call begins with the states in which the one before ended (Keras: stateful)
 * @param inputDropout share of the channels of x dropped while training, the same ones at every step of a row, others for
 *     each direction (Keras: dropout)
 * @param recurrentDropout share of the channels of each state that Wh does not see while training, the same ones at every
 *     step of a row (Keras: recurrent_dropout)
 * @param layerDropout share of the elements dropped, while training, from what every layer but the last hands up; each step
 *     its own (torch: dropout)
 */
public record SimpleRnnConfig(
        int inputSize,
        int hiddenSize,
        int layers,
        Activation activation,
        boolean bias,
        boolean recurrentBias,
        boolean bidirectional,
        Merge merge,
        boolean goBackwards,
        Output output,
        boolean zeroOutputForMask,
        boolean stateful,
        double inputDropout,
        double recurrentDropout,
        double layerDropout) {

    /**
     * Checks the settings.
     *
     * @throws NullPointerException when activation, merge or output is null
     * @throws IllegalArgumentException when a number is out of its range, a row has 2^31 states or more, a second bias lacks
     *     the first, {@code goBackwards} meets two directions, or {@code layerDropout} a single layer
     */
    public SimpleRnnConfig {
        requireSizes(inputSize, hiddenSize, layers, bidirectional ? 2 : 1);
        Objects.requireNonNull(activation, "activation");
        Objects.requireNonNull(merge, "merge");
        Objects.requireNonNull(output, "output");
        if (recurrentBias && !bias) {
            throw new IllegalArgumentException(
                    "SimpleRnn: recurrentBias is a second bias and needs the first: set bias too.");
        }
        if (goBackwards && bidirectional) {
            throw new IllegalArgumentException(
                    "SimpleRnn: goBackwards is for one direction; two directions read from both ends anyway.");
        }
        requireRate("inputDropout", inputDropout);
        requireRate("recurrentDropout", recurrentDropout);
        requireRate("layerDropout", layerDropout);
        if (layerDropout > 0 && layers == 1) {
            throw new IllegalArgumentException("SimpleRnn: layerDropout " + layerDropout
                    + " lies between layers, but there is only one. Set layers, or drop the output outside.");
        }
    }

    /** Throws {@link IllegalArgumentException} for sizes that no layer can have. */
    public static void requireSizes(int inputSize, int hiddenSize, int layers, int directions) {
        if (inputSize < 1 || hiddenSize < 1 || hiddenSize > Integer.MAX_VALUE / 2) {
            throw new IllegalArgumentException("SimpleRnn needs D >= 1 and H from 1 to 2^30 - 1, but D = " + inputSize
                    + " and H = " + hiddenSize + ".");
        }
        if (layers < 1 || (long) layers * directions * hiddenSize > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "SimpleRnn needs layers >= 1 and fewer than 2^31 states of a row, but has " + layers
                            + " layers of H = " + hiddenSize + ".");
        }
    }

    private static void requireRate(String name, double rate) {
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException(
                    "SimpleRnn: " + name + " must be at least 0 and below 1, but is " + rate + ".");
        }
    }

    /** One layer, one direction, tanh, with bias, returning every step. */
    public static SimpleRnnConfig of(int inputSize, int hiddenSize) {
        return new SimpleRnnConfig(
                inputSize,
                hiddenSize,
                1,
                Activation.TANH,
                true,
                false,
                false,
                Merge.CONCAT,
                false,
                Output.SEQUENCE,
                false,
                false,
                0,
                0,
                0);
    }

    /**
     * At least 1, and 1 in {@link #of} (torch: num_layers). Throws {@link IllegalArgumentException} for 1 while a {@link
     * #layerDropout} is set.
     */
    public SimpleRnnConfig withLayers(int changed) {
        return with(draft -> draft.layers = changed);
    }

    /** TANH in {@link #of}. With RELU and LINEAR nothing bounds the states; torch has no LINEAR. */
    public SimpleRnnConfig withActivation(Activation changed) {
        return with(draft -> draft.activation = changed);
    }

    /** True in {@link #of}. Throws {@link IllegalArgumentException} for false while there is a {@link #recurrentBias}. */
    public SimpleRnnConfig withBias(boolean changed) {
        return with(draft -> draft.bias = changed);
    }

    /**
     * False in {@link #of}, as in Keras; torch has two biases or none. Throws {@link IllegalArgumentException} for true without a
     * {@link #bias}.
     */
    public SimpleRnnConfig withRecurrentBias(boolean changed) {
        return with(draft -> draft.recurrentBias = changed);
    }

    /**
     * False in {@link #of}; with true, {@link #outputSize} doubles unless {@link #withMerge} says otherwise. Throws {@link
     * IllegalArgumentException} for true while {@link #goBackwards} is set.
     */
    public SimpleRnnConfig withBidirectional(boolean changed) {
        return with(draft -> draft.bidirectional = changed);
    }

    /** CONCAT in {@link #of}, which is all that torch has. Ignored with one direction. */
    public SimpleRnnConfig withMerge(Merge changed) {
        return with(draft -> draft.merge = changed);
    }

    /**
     * False in {@link #of}. With true, {@link Output#SEQUENCE} begins with the last step of x. Throws {@link
     * IllegalArgumentException} for true with two directions.
     */
    public SimpleRnnConfig withGoBackwards(boolean changed) {
        return with(draft -> draft.goBackwards = changed);
    }

    /** SEQUENCE in {@link #of}, as in torch; Keras's layer gives LAST unless return_sequences is set. */
    public SimpleRnnConfig withOutput(Output changed) {
        return with(draft -> draft.output = changed);
    }

    /** False in {@link #of}. Only affects {@link Output#SEQUENCE} of one direction under a mask. */
    public SimpleRnnConfig withZeroOutputForMask(boolean changed) {
        return with(draft -> draft.zeroOutputForMask = changed);
    }

    /**
     * False in {@link #of}. With true, a call that is given no initial state must have as many rows as the one before, until
     * {@link SimpleRnn#resetState()}.
     */
    public SimpleRnnConfig withStateful(boolean changed) {
        return with(draft -> draft.stateful = changed);
    }

    /**
     * At least 0 and below 1; 0 in {@link #of}. Drops only in calls that are given a {@link Training}, and only before the
     * first layer.
     */
    public SimpleRnnConfig withInputDropout(double changed) {
        return with(draft -> draft.inputDropout = changed);
    }

    /** At least 0 and below 1; 0 in {@link #of}. Drops only in calls that are given a {@link Training}, in every layer. */
    public SimpleRnnConfig withRecurrentDropout(double changed) {
        return with(draft -> draft.recurrentDropout = changed);
    }

    /**
     * At least 0 and below 1; 0 in {@link #of}. Drops only in calls that are given a {@link Training}. Throws {@link
     * IllegalArgumentException} above 0 while there is one layer: call {@link #withLayers} first.
     */
    public SimpleRnnConfig withLayerDropout(double changed) {
        return with(draft -> draft.layerDropout = changed);
    }

    private SimpleRnnConfig with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finish();
    }

    /** A copy while it is changed. */
    private static final class Draft {
        private final SimpleRnnConfig from;
        private int layers;
        private Activation activation;
        private boolean bias;
        private boolean recurrentBias;
        private boolean bidirectional;
        private Merge merge;
        private boolean goBackwards;
        private Output output;
        private boolean zeroOutputForMask;
        private boolean stateful;
        private double inputDropout;
        private double recurrentDropout;
        private double layerDropout;

        Draft(SimpleRnnConfig from) {
            this.from = from;
            layers = from.layers;
            activation = from.activation;
            bias = from.bias;
            recurrentBias = from.recurrentBias;
            bidirectional = from.bidirectional;
            merge = from.merge;
            goBackwards = from.goBackwards;
            output = from.output;
            zeroOutputForMask = from.zeroOutputForMask;
            stateful = from.stateful;
            inputDropout = from.inputDropout;
            recurrentDropout = from.recurrentDropout;
            layerDropout = from.layerDropout;
        }

        SimpleRnnConfig finish() {
            return new SimpleRnnConfig(
                    from.inputSize,
                    from.hiddenSize,
                    layers,
                    activation,
                    bias,
                    recurrentBias,
                    bidirectional,
                    merge,
                    goBackwards,
                    output,
                    zeroOutputForMask,
                    stateful,
                    inputDropout,
                    recurrentDropout,
                    layerDropout);
        }
    }

    /** 1 or 2. */
    public int directions() {
        return bidirectional ? 2 : 1;
    }

    /** C, the channels that the layer returns: H, or 2H of two directions side by side. */
    public int outputSize() {
        return merge == Merge.CONCAT ? directions() * hiddenSize : hiddenSize;
    }

    /** S, the states of a row in all layers and directions. */
    public int stateSize() {
        return layers * directions() * hiddenSize;
    }

    /** D of a layer, counted from 0: what it reads. */
    int inputSize(int layer) {
        return layer == 0 ? inputSize : directions() * hiddenSize;
    }
}
