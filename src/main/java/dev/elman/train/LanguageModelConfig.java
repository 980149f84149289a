package dev.elman.train;

import dev.elman.backend.Parameters;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.List;

/**
 * The shape of a {@link LanguageModel}: embedding, stateful SimpleRnn of one or more layers, dense layer over the vocabulary.
 *
 * @param vocabulary V, at least 2; ids are below it
 * @param embeddingSize D
 * @param hiddenSize H
 * @param layers of the SimpleRnn
 * @param dropout share of the elements dropped while training, from the states of every layer
 * @param recurrentDropout see {@link SimpleRnnConfig}
 * @param window k1, the steps between two updates of the weights; the state flows on (truncated back-propagation)
 * @param backSteps k2, the steps through which a gradient flows back, at least {@code window}; 0 for as many. Steps before
 *     the window are run again for it and their losses do not count again (Williams and Peng 1990)
 * @param tied whether the dense layer's weights are the embedding's table; takes D = H (Press and Wolf 2017)
 * @param seed of the first weights
 */
public record LanguageModelConfig(
        int vocabulary,
        int embeddingSize,
        int hiddenSize,
        int layers,
        double dropout,
        double recurrentDropout,
        int window,
        int backSteps,
        boolean tied,
        long seed) {

    /**
     * Checks the settings.
     *
     * @throws IllegalArgumentException when a number is out of its range, {@code backSteps} is neither 0 nor at least the
     *     window, or the model is tied and D is not H
     */
    public LanguageModelConfig {
        if (vocabulary < 2) {
            throw new IllegalArgumentException(
                    "A language model needs at least 2 different tokens, but V = " + vocabulary + ".");
        }
        Require.atLeast(1, "window", window);
        if (backSteps != 0 && backSteps < window) {
            throw new IllegalArgumentException("backSteps must be 0 or at least the window of " + window
                    + ", or some losses would teach nothing, but is " + backSteps + ".");
        }
        Require.atLeast(1, "layers", layers);
        if (tied && embeddingSize != hiddenSize) {
            throw new IllegalArgumentException("A tied output takes an embedding of the size of the states, but D = "
                    + embeddingSize + " and H = " + hiddenSize + ".");
        }
        SimpleRnnConfig.requireSizes(embeddingSize, hiddenSize, layers, 1);
        Require.below(1, "dropout", dropout);
        Require.below(1, "recurrentDropout", recurrentDropout);
    }

    /** 64 dimensions, one layer of 256 nodes, dropout 0.1, windows of 64 steps. */
    public static LanguageModelConfig of(int vocabulary) {
        return new LanguageModelConfig(vocabulary, 64, 256, 1, 0.1, 0, 64, 0, false, 0);
    }

    /** D and H; 64 and 256 in {@link #of}. Throws {@link IllegalArgumentException} when they differ in a {@link #tied} model. */
    public LanguageModelConfig withSizes(int embedding, int hidden) {
        return new LanguageModelConfig(
                vocabulary, embedding, hidden, layers, dropout, recurrentDropout, window, backSteps, tied, seed);
    }

    /** At least 1, and 1 in {@link #of} (PyTorch: num_layers). */
    public LanguageModelConfig withLayers(int count) {
        return new LanguageModelConfig(
                vocabulary, embeddingSize, hiddenSize, count, dropout, recurrentDropout, window, backSteps, tied, seed);
    }

    /** At least 0 and below 1; 0.1 in {@link #of}. Behind the last layer, too, where PyTorch's nn.RNN drops nothing. */
    public LanguageModelConfig withDropout(double rate) {
        return new LanguageModelConfig(
                vocabulary, embeddingSize, hiddenSize, layers, rate, recurrentDropout, window, backSteps, tied, seed);
    }

    /** At least 0 and below 1; 0 in {@link #of} (Keras: recurrent_dropout; PyTorch has none). */
    public LanguageModelConfig withRecurrentDropout(double rate) {
        return new LanguageModelConfig(
                vocabulary, embeddingSize, hiddenSize, layers, dropout, rate, window, backSteps, tied, seed);
    }

    /** Updates every so many steps, gradients through as many. */
    public LanguageModelConfig withWindow(int steps) {
        return withWindow(steps, 0);
    }

    /** Updates every k1 steps, gradients through k2. */
    public LanguageModelConfig withWindow(int k1, int k2) {
        return new LanguageModelConfig(
                vocabulary, embeddingSize, hiddenSize, layers, dropout, recurrentDropout, k1, k2, tied, seed);
    }

    /**
     * False in {@link #of}. True saves the V times H weights of the dense layer, whose bias stays. Throws {@link
     * IllegalArgumentException} for true unless D = H: call {@link #withSizes} first.
     */
    public LanguageModelConfig withTied(boolean shared) {
        return new LanguageModelConfig(
                vocabulary,
                embeddingSize,
                hiddenSize,
                layers,
                dropout,
                recurrentDropout,
                window,
                backSteps,
                shared,
                seed);
    }

    /** Decides the first weights; 0 in {@link #of}. What is dropped is {@link Trainer.Builder#seed}'s. */
    public LanguageModelConfig withSeed(long value) {
        return new LanguageModelConfig(
                vocabulary,
                embeddingSize,
                hiddenSize,
                layers,
                dropout,
                recurrentDropout,
                window,
                backSteps,
                tied,
                value);
    }

    /** The recurrent layer of such a model. */
    public SimpleRnnConfig rnn() {
        return SimpleRnnConfig.of(embeddingSize, hiddenSize)
                .withStateful(true)
                .withLayers(layers)
                .withRecurrentDropout(recurrentDropout)
                .withLayerDropout(layers > 1 ? dropout : 0);
    }

    /** Names and shapes of the weights. */
    List<Parameters.Spec> specs() {
        return RnnNetwork.specs(vocabulary, rnn(), vocabulary, tied);
    }
}
