package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** A {@link LanguageModel} before a {@link Trainer}: the state flows from window to window, the gradient does not. */
final class LanguageModelLearner implements Learner, AutoCloseable {
    private final LanguageModel model;
    private final int[] tokens;
    private final Trainer trainer;
    private final TokenStreams training;
    private final int[] validation;
    private final Minibatch minibatch;

    LanguageModelLearner(LanguageModel model, int[] tokens, Trainer trainer) {
        this.model = model;
        this.tokens = tokens;
        this.trainer = trainer;
        int held = (int) Math.round(trainer.validationSplit() * tokens.length);
        if (held < 2 && trainer.validationSplit() > 0) {
            throw new IllegalArgumentException("validationSplit " + trainer.validationSplit() + " of " + tokens.length
                    + " tokens holds back " + held + ", but a loss takes at least 2. Give a longer text, or a larger"
                    + " share, or 0 to hold nothing back.");
        }
        if (held > 0 && tokens.length - held < 2) {
            throw new IllegalArgumentException("validationSplit " + trainer.validationSplit() + " of " + tokens.length
                    + " tokens leaves " + (tokens.length - held) + " to train on, but a loss takes at least 2. Give a"
                    + " longer text, or a smaller share.");
        }
        this.training = new TokenStreams(
                Arrays.copyOf(tokens, tokens.length - held),
                trainer.batchSize(),
                model.config().window(),
                Math.max(model.config().window(), model.config().backSteps()));
        this.validation = Arrays.copyOfRange(tokens, tokens.length - held, tokens.length);
        this.minibatch = new Minibatch(model.backend(), 0);
    }

    @Override
    public Backend backend() {
        return model.backend();
    }

    @Override
    public RnnNetwork network() {
        return model.network();
    }

    @Override
    public int startEpoch(int epoch) {
        model.network().rnn().resetState();
        return training.windows();
    }

    @Override
    public void warmUp(Tensor metrics) {
        int largest = 0;
        for (int window = 1; window < training.windows(); window++) {
            if (training.steps(window) > training.steps(largest)) largest = window;
        }
        if (largest == 0) return;
        pass(largest, 0, metrics);
        model.network().rnn().resetState();
    }

    @Override
    public double learn(int batch, long step, Tensor metrics) {
        int targets = pass(batch, step, metrics);
        // The next window may begin before the end of this one.
        int again = batch + 1 < training.windows() ? training.overlap(batch + 1) : 0;
        if (again > 0) model.network().rnn().resumeAfter(training.steps(batch) - again);
        return targets;
    }

    /** Forward and backward over a window from the state that there is; returns its number of targets. */
    private int pass(int window, long step, Tensor metrics) {
        int targets = training.load(minibatch, window);
        Tensor logits = model.network().forward(minibatch, Seeds.of(trainer.seed(), step), 0);
        model.backend().softmaxCrossEntropy(logits, minibatch.labels(), 0, 1.0 / targets, metrics, logits);
        model.network().backward(logits);
        return targets;
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        ModelFile.entries(model.config()).forEach((name, value) -> settings.put("model " + name, value));
        settings.put("number of tokens", "" + tokens.length);
        settings.put("hash of the tokens", "" + RowsHash.of(tokens));
        return settings;
    }

    @Override
    public boolean validates() {
        return validation.length > 0;
    }

    @Override
    public Metrics validate() {
        return validates() ? model.evaluate(validation) : null;
    }

    @Override
    public void close() {
        minibatch.close();
    }
}
