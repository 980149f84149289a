package dev.elman.train;

import dev.elman.backend.Activation;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;

/**
 * The shape of a {@link LanguageModel}: embedding, stateful SimpleRnn, dense layer over the vocabulary.
 *
 * @param vocabulary V, at least 2; ids are below it
 * @param embeddingSize D
 * @param hiddenSize H
 * @param dropout share of the states' elements dropped while training
 * @param window T, the steps through which a gradient flows back; the state flows on (truncated back-propagation)
 * @param seed of the first weights
 */
public record LanguageModelConfig(
        int vocabulary, int embeddingSize, int hiddenSize, double dropout, int window, long seed) {

    public LanguageModelConfig {
        if (vocabulary < 2) {
            throw new IllegalArgumentException(
                    "A language model needs at least 2 different tokens, but V = " + vocabulary + ".");
        }
        if (window < 1) throw new IllegalArgumentException("window must be at least 1, but is " + window + ".");
        SimpleRnnConfig.requireSizes(embeddingSize, hiddenSize);
        Optimizer.requireRange("dropout", dropout, 1);
    }

    /** 64 dimensions, 256 nodes, dropout 0.1, windows of 64 steps. */
    public static LanguageModelConfig of(int vocabulary) {
        return new LanguageModelConfig(vocabulary, 64, 256, 0.1, 64, 0);
    }

    public LanguageModelConfig withSizes(int embedding, int hidden) {
        return new LanguageModelConfig(vocabulary, embedding, hidden, dropout, window, seed);
    }

    public LanguageModelConfig withDropout(double rate) {
        return new LanguageModelConfig(vocabulary, embeddingSize, hiddenSize, rate, window, seed);
    }

    public LanguageModelConfig withWindow(int steps) {
        return new LanguageModelConfig(vocabulary, embeddingSize, hiddenSize, dropout, steps, seed);
    }

    public LanguageModelConfig withSeed(long value) {
        return new LanguageModelConfig(vocabulary, embeddingSize, hiddenSize, dropout, window, value);
    }

    /** The recurrent layer of such a model. */
    public SimpleRnnConfig rnn() {
        return new SimpleRnnConfig(embeddingSize, hiddenSize, Activation.TANH, true, false, Output.SEQUENCE, true);
    }
}
