package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Parameters;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** A {@link SimpleRnnClassifier} before a {@link Trainer}: its rows, cut into training and validation. */
final class ClassifierLearner implements Learner {
    private final SimpleRnnClassifier model;
    private final Backend backend;
    private final SequenceInput input;
    private final int[] labels;
    private final Trainer trainer;
    private final int[] training;
    private final int[] validation;
    private final Minibatch minibatch;
    private final Buffer dLogits;
    private List<int[]> batches = List.of();

    ClassifierLearner(SimpleRnnClassifier model, SequenceInput input, int[] labels, Trainer trainer) {
        this.model = model;
        this.backend = model.backend();
        this.input = input;
        this.labels = labels;
        this.trainer = trainer;
        int[] rows = Batches.range(input.rows());
        int held = (int) Math.round(trainer.validationSplit() * rows.length);
        if (held > 0) Batches.shuffle(rows, new Random(trainer.seed()));
        validation = Arrays.copyOf(rows, held);
        training = Arrays.copyOfRange(rows, held, rows.length);
        if (training.length == 0 || (held == 0 && trainer.validationSplit() > 0)) {
            throw new IllegalArgumentException("validationSplit " + trainer.validationSplit() + " of " + rows.length
                    + " rows leaves one side empty. Give more rows, or another share.");
        }
        minibatch = new Minibatch(backend, model.config().inputSize());
        dLogits = new Buffer(backend);
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public Parameters weights() {
        return model.network().weights();
    }

    @Override
    public Parameters gradients() {
        return model.network().gradients();
    }

    @Override
    public int startEpoch(int epoch) {
        batches = Batches.shuffled(input, training, trainer.batchSize(), Seeds.of(trainer.seed(), epoch));
        return batches.size();
    }

    @Override
    public int learn(int batch, long step, Tensor metrics) {
        int[] rows = batches.get(batch);
        minibatch.load(input, rows, labels);
        Tensor logits = model.network().forward(minibatch, Seeds.of(trainer.seed(), step));
        Tensor gradient = dLogits.of(logits.shape());
        double smoothing = model.config().labelSmoothing();
        backend.softmaxCrossEntropy(logits, minibatch.labels(), smoothing, 1.0 / rows.length, metrics, gradient);
        model.network().backward(gradient);
        return rows.length;
    }

    @Override
    public Metrics validate() {
        return validation.length == 0 ? null : model.measure(input, labels, validation);
    }

    @Override
    public void close() {
        minibatch.close();
        dLogits.close();
    }
}
