package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * The next token of a row of tokens: embedding, stateful SimpleRnn, dense layer over the vocabulary. For one thread at a time; a
 * second one is refused.
 */
public final class LanguageModel implements AutoCloseable {
    /** Streams that are evaluated side by side. */
    private static final int EVALUATION_STREAMS = 32;

    private final Backend backend;
    private final LanguageModelConfig config;
    private final RnnNetwork network;
    /** For evaluations and samples. */
    private final Minibatch minibatch;

    private final Buffer metrics;

    /** A model with fresh weights; the backend must outlive it. */
    public LanguageModel(Backend backend, LanguageModelConfig config) {
        this(backend, config, network(backend, config));
        network.initialize(config.seed());
    }

    /** A model whose weights are all 0, for callers that set them: drawing those of a large layer takes seconds. */
    public static LanguageModel zeros(Backend backend, LanguageModelConfig config) {
        return new LanguageModel(backend, config, network(backend, config));
    }

    private static RnnNetwork network(Backend backend, LanguageModelConfig config) {
        List<Parameters> pair = Parameters.allocatePair(backend, config.specs());
        return new RnnNetwork(
                backend, true, config.rnn(), 0, config.dropout(), config.tied(), pair.get(0), pair.get(1));
    }

    private LanguageModel(Backend backend, LanguageModelConfig config, RnnNetwork network) {
        this.backend = backend;
        this.config = config;
        this.network = network;
        this.minibatch = new Minibatch(backend, 0);
        this.metrics = new Buffer(backend);
    }

    /** What it was made with. Its {@code vocabulary} bounds the ids that may come, its {@code window} holds for each fit, evaluation and prompt. */
    public LanguageModelConfig config() {
        return config;
    }

    /** The weights, to read or to set. */
    public Parameters weights() {
        return network.weights();
    }

    Backend backend() {
        return backend;
    }

    RnnNetwork network() {
        return network;
    }

    /**
     * Trains on one row of tokens by truncated back-propagation through time: the trainer's batch size is the number of
     * streams it is cut into, the last {@code validationSplit} of it is held back.
     *
     * @throws IllegalArgumentException when fewer than 2 tokens are left to train on or are held back, or one is outside
     *     the vocabulary
     * @throws TrainingDivergedException when the loss is no longer a number; the model has its last good weights
     */
    public History fit(int[] tokens, Trainer trainer) {
        return fit(tokens, trainer, Checkpoints.none());
    }

    /**
     * The same from epoch to epoch by way of checkpoints: stopped and begun again, it gives the same bits as without the stop.
     *
     * @throws IllegalArgumentException as {@link #fit(int[], Trainer)}, or for a checkpoint of another training
     */
    public History fit(int[] tokens, Trainer trainer, Checkpoints checkpoints) {
        Objects.requireNonNull(trainer, "trainer");
        return network.alone("fit", () -> {
            check("fit", tokens);
            try (LanguageModelLearner learner = new LanguageModelLearner(this, tokens, trainer)) {
                return trainer.fit(learner, Team.alone(), checkpoints);
            }
        });
    }

    /**
     * Mean loss and share of next tokens that were the most probable; {@link Metrics#perplexity} is the usual figure. A long
     * row is cut into up to 32 streams of equal length that begin with a state of zeros, so up to 31 tokens at its end, which
     * do not divide, are left out; {@link Metrics#count} says how many counted.
     *
     * @throws IllegalArgumentException when there are fewer than 2 tokens, or one is outside the vocabulary
     */
    public Metrics evaluate(int[] tokens) {
        return network.alone("evaluate", () -> measure(tokens));
    }

    private Metrics measure(int[] tokens) {
        check("evaluate", tokens);
        TokenStreams streams = new TokenStreams(tokens, EVALUATION_STREAMS, config.window(), config.window());
        double loss = 0;
        double hits = 0;
        long targets = 0;
        network.rnn().resetState();
        Tensor sums = metrics.of(Shape.of(2));
        for (int window = 0; window < streams.windows(); window++) {
            targets += streams.load(minibatch, window);
            Tensor logits = network.predict(minibatch);
            backend.softmaxCrossEntropy(logits, minibatch.labels(), 0, 1, sums, logits);
            float[] values = sums.toFloats();
            loss += values[0];
            hits += values[1];
        }
        network.rnn().resetState();
        return new Metrics(loss / targets, hits / targets, targets);
    }

    /**
     * Continues a row of tokens. As {@link #evaluate} does, it begins and ends with a state of zeros: called from {@link
     * Callback#onBatchEnd}, either resets the running training's state; from {@link Callback#onEpochEnd} it does no harm.
     *
     * @param prompt what came before; at least one token
     * @param count how many tokens to draw
     * @param sampling how to draw
     * @param stop a token that ends the row early and is not returned; -1 for none
     * @param never tokens that are not drawn, whatever their probability
     * @return the drawn tokens
     * @throws IllegalArgumentException as {@link #evaluate}, for an empty prompt, and when {@code never} has every token
     */
    public int[] sample(int[] prompt, int count, Sampling sampling, int stop, int... never) {
        return sample(prompt, count, sampling, stop, token -> {}, never);
    }

    /**
     * The same, which hands on each token when it is drawn.
     *
     * @param each is given the tokens, and may not use this model meanwhile
     */
    public int[] sample(int[] prompt, int count, Sampling sampling, int stop, IntConsumer each, int... never) {
        return network.alone("sample", () -> draw(prompt, count, sampling, stop, each, never));
    }

    private int[] draw(int[] prompt, int count, Sampling sampling, int stop, IntConsumer each, int... never) {
        check("sample", prompt);
        check("sample, never", never);
        Require.atLeast(0, "sample: count", count);
        if (prompt.length == 0) throw new IllegalArgumentException("sample: give at least one token to begin with.");
        if (Arrays.stream(never).distinct().count() == config.vocabulary()) {
            throw new IllegalArgumentException("sample: never bans all V = " + config.vocabulary()
                    + " tokens. Leave at least one that may be drawn.");
        }
        // The first numbers of java.util.Random hardly differ from one small seed to the next.
        RandomGenerator random = new SplittableRandom(sampling.seed());
        // Not an array of count: that is the most there can be, and what stops may come long before.
        IntStream.Builder drawn = IntStream.builder();
        network.rnn().resetState();
        try {
            float[] next = read(prompt);
            for (int i = 0; i < count; i++) {
                for (int id : never) next[id] = Float.NEGATIVE_INFINITY;
                int token = sampling.draw(next, random);
                if (token == stop) break;
                drawn.add(token);
                each.accept(token);
                next = read(new int[] {token});
            }
        } finally {
            network.rnn().resetState();
        }
        return drawn.build().toArray();
    }

    /** Reads on, window by window as {@link #evaluate} does, and returns the logits of the token after the last. */
    private float[] read(int[] tokens) {
        Tensor logits = null;
        int steps = 0;
        for (int from = 0; from < tokens.length; from += steps) {
            steps = Math.min(config.window(), tokens.length - from);
            int[] window = Arrays.copyOfRange(tokens, from, from + steps);
            minibatch.load(window, window, 1);
            logits = network.predict(minibatch);
        }
        return logits.slice(steps - 1, 1).toFloats();
    }

    private void check(String operation, int[] tokens) {
        Objects.requireNonNull(tokens, "tokens");
        for (int t = 0; t < tokens.length; t++) {
            if (tokens[t] < 0 || tokens[t] >= config.vocabulary()) {
                throw new IllegalArgumentException(operation + ": token ids must be at least 0 and below V = "
                        + config.vocabulary() + ", but step " + t + " has " + tokens[t] + ".");
            }
        }
    }

    /** @throws IllegalStateException while another thread is in an operation, or in a callback of one */
    @Override
    public void close() {
        network.close(() -> {
            minibatch.close();
            metrics.close();
        });
    }
}
