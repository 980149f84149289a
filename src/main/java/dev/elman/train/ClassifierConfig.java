package dev.elman.train;

import dev.elman.backend.Activation;
import dev.elman.backend.Parameters;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.List;
import java.util.Objects;

/**
 * The shape of a {@link SimpleRnnClassifier}: tokens, an embedding (or features as they are), a SimpleRnn, a vector for
 * each sequence, a dense layer to K classes.
 *
 * @param vocabulary V, ids are below it; 0 when the input is features
 * @param inputSize D: size of the embedding, or number of features of a step
 * @param hiddenSize H
 * @param layers of the SimpleRnn
 * @param classes K, at least 2
 * @param activation of the recurrence
 * @param bias whether the recurrence has one
 * @param recurrentBias whether it has a second one, trained too, as PyTorch has
 * @param bidirectional whether a second direction reads from the end
 * @param merge how two directions become one
 * @param goBackwards whether the one direction reads from the end
 * @param output how the states become one vector: LAST, MAX or MEAN
 * @param inputDropout share of the embedding's (or features') elements dropped while training
 * @param recurrentDropout see {@link SimpleRnnConfig}
 * @param dropout share of the elements dropped while training from the vector, and between layers
 * @param labelSmoothing see {@link dev.elman.backend.Backend#softmaxCrossEntropy}
 * @param seed of the first weights
 */
public record ClassifierConfig(
        int vocabulary,
        int inputSize,
        int hiddenSize,
        int layers,
        int classes,
        Activation activation,
        boolean bias,
        boolean recurrentBias,
        boolean bidirectional,
        Merge merge,
        boolean goBackwards,
        Output output,
        double inputDropout,
        double recurrentDropout,
        double dropout,
        double labelSmoothing,
        long seed) {

    /**
     * Checks the settings.
     *
     * @throws NullPointerException when activation, merge or output is null
     * @throws IllegalArgumentException when a number is out of its range, the output is SEQUENCE, a second bias lacks the
     *     first, or {@code goBackwards} meets two directions
     */
    public ClassifierConfig {
        Objects.requireNonNull(activation, "activation");
        Objects.requireNonNull(merge, "merge");
        Objects.requireNonNull(output, "output");
        if (vocabulary != 0) Require.atLeast(1, "vocabulary", vocabulary);
        if (classes < 2) {
            throw new IllegalArgumentException("A classifier needs at least 2 classes, but K = " + classes + ".");
        }
        Require.atLeast(1, "layers", layers);
        if (output == Output.SEQUENCE) {
            throw new IllegalArgumentException(
                    "A classifier needs one vector for each sequence: output LAST, MAX or MEAN, not SEQUENCE.");
        }
        SimpleRnnConfig.requireSizes(inputSize, hiddenSize, layers, bidirectional ? 2 : 1);
        if (recurrentBias && !bias) {
            throw new IllegalArgumentException("recurrentBias is a second bias and needs the first: set bias too.");
        }
        if (goBackwards && bidirectional) {
            throw new IllegalArgumentException(
                    "goBackwards is for one direction; two directions read from both ends anyway.");
        }
        Require.below(1, "inputDropout", inputDropout);
        Require.below(1, "recurrentDropout", recurrentDropout);
        Require.below(1, "dropout", dropout);
        Require.below(1, "labelSmoothing", labelSmoothing);
    }

    /** Token ids below {@code vocabulary}, embedded in 32 dimensions. */
    public static Builder tokens(int vocabulary, int classes) {
        Require.atLeast(1, "vocabulary", vocabulary);
        return new Builder(vocabulary, 32, classes);
    }

    /** Steps of D features. */
    public static Builder features(int features, int classes) {
        return new Builder(0, features, classes);
    }

    /** The recurrent layer of such a model. */
    public SimpleRnnConfig rnn() {
        return SimpleRnnConfig.of(inputSize, hiddenSize)
                .withLayers(layers)
                .withActivation(activation)
                .withBias(bias)
                .withRecurrentBias(recurrentBias)
                .withBidirectional(bidirectional)
                .withMerge(merge)
                .withGoBackwards(goBackwards)
                .withOutput(output)
                .withRecurrentDropout(recurrentDropout)
                .withLayerDropout(layers > 1 ? dropout : 0);
    }

    /** Throws {@link IllegalArgumentException} when a model of this shape takes features. */
    void requireTokens() {
        if (vocabulary == 0) {
            throw new IllegalArgumentException(
                    "This model takes features, D = " + inputSize + ", but was given token ids.");
        }
    }

    /** Throws {@link IllegalArgumentException} when a model of this shape takes token ids. */
    void requireFeatures() {
        if (vocabulary > 0) {
            throw new IllegalArgumentException(
                    "This model takes token ids, V = " + vocabulary + ", but was given features.");
        }
    }

    /** Names and shapes of the weights. */
    List<Parameters.Spec> specs() {
        return RnnNetwork.specs(vocabulary, rnn(), classes, false);
    }

    /** Settings of a {@link ClassifierConfig}: unless set, 128 tanh nodes, one bias, one direction, the last state, nothing dropped. */
    public static final class Builder {
        private final int vocabulary;
        private final int classes;
        private int inputSize;
        private int hiddenSize = 128;
        private int layers = 1;
        private Activation activation = Activation.TANH;
        private boolean bias = true;
        private boolean recurrentBias;
        private boolean bidirectional;
        private Merge merge = Merge.CONCAT;
        private boolean goBackwards;
        private Output output = Output.LAST;
        private double inputDropout;
        private double recurrentDropout;
        private double dropout;
        private double labelSmoothing;
        private long seed;

        private Builder(int vocabulary, int inputSize, int classes) {
            this.vocabulary = vocabulary;
            this.inputSize = inputSize;
            this.classes = classes;
        }

        /** Size of the embedding; for token input. */
        public Builder embeddingSize(int size) {
            if (vocabulary == 0)
                throw new IllegalArgumentException("Features are not embedded; do not set embeddingSize.");
            inputSize = size;
            return this;
        }

        /** H, at least 1; 128 unless set (Keras: units; PyTorch: hidden_size). */
        public Builder hiddenSize(int size) {
            hiddenSize = size;
            return this;
        }

        /**
         * Recurrent layers on top of each other, at least 1; 1 unless set. Each above the first reads all directions of the one
         * below, side by side (PyTorch: num_layers).
         */
        public Builder layers(int count) {
            layers = count;
            return this;
        }

        /** Of the recurrence, tanh unless set (Keras: activation; PyTorch: nonlinearity). */
        public Builder activation(Activation choice) {
            activation = choice;
            return this;
        }

        /** Whether the recurrence has a bias; true unless set (Keras: use_bias; PyTorch: bias). The dense layer has one anyway. */
        public Builder bias(boolean has) {
            bias = has;
            return this;
        }

        /** Whether there is a second bias, trained too, as PyTorch's bias_hh; false unless set. Needs {@link #bias}. */
        public Builder recurrentBias(boolean has) {
            recurrentBias = has;
            return this;
        }

        /**
         * Whether a second direction, with weights of its own, reads from the end; false unless set (Keras: Bidirectional;
         * PyTorch: bidirectional).
         */
        public Builder bidirectional(boolean both) {
            bidirectional = both;
            return this;
        }

        /**
         * How two directions become one; side by side unless set, which is all that PyTorch has (Keras: merge_mode). Counts
         * for nothing with one direction.
         */
        public Builder merge(Merge choice) {
            merge = choice;
            return this;
        }

        /**
         * Whether the one direction reads from the end, so that LAST is the state after step 0; false unless set (Keras:
         * go_backwards). Not with two directions.
         */
        public Builder goBackwards(boolean backwards) {
            goBackwards = backwards;
            return this;
        }

        /**
         * How the states become one vector: LAST unless set, or MAX or MEAN over the steps (Keras: GlobalMaxPooling1D,
         * GlobalAveragePooling1D). SEQUENCE is refused.
         */
        public Builder output(Output choice) {
            output = choice;
            return this;
        }

        /**
         * Share of the elements of the embedding, or of the features, dropped while training; at least 0, below 1, and 0 unless
         * set. Each step draws anew, as a Dropout layer of Keras or PyTorch does, and not as Keras's SimpleRNN with dropout.
         */
        public Builder inputDropout(double rate) {
            inputDropout = rate;
            return this;
        }

        /**
         * Share of the channels of each state that Wh does not see while training, the same ones at every step of a row; at
         * least 0, below 1, and 0 unless set (Keras: recurrent_dropout; PyTorch has none).
         */
        public Builder recurrentDropout(double rate) {
            recurrentDropout = rate;
            return this;
        }

        /**
         * Share of the elements dropped while training from the vector before the dense layer, and, of several recurrent layers,
         * from what each but the last hands up (there PyTorch's dropout); at least 0, below 1, and 0 unless set.
         */
        public Builder dropout(double rate) {
            dropout = rate;
            return this;
        }

        /**
         * Share of each target that is spread evenly over all K classes while training; at least 0, below 1, and 0 unless set
         * (Keras and PyTorch: label_smoothing).
         */
        public Builder labelSmoothing(double share) {
            labelSmoothing = share;
            return this;
        }

        /**
         * Decides the first weights; 0 unless set. What is dropped and in which order the rows come is {@link
         * Trainer.Builder#seed}'s.
         */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /**
         * The configuration.
         *
         * @throws IllegalArgumentException when a setting is out of its range, or the network has more weights than a tensor holds
         */
        public ClassifierConfig build() {
            ClassifierConfig config = new ClassifierConfig(
                    vocabulary,
                    inputSize,
                    hiddenSize,
                    layers,
                    classes,
                    activation,
                    bias,
                    recurrentBias,
                    bidirectional,
                    merge,
                    goBackwards,
                    output,
                    inputDropout,
                    recurrentDropout,
                    dropout,
                    labelSmoothing,
                    seed);
            Parameters.size(config.specs()); // which refuses too many
            return config;
        }
    }
}
