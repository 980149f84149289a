package dev.elman.train;

import dev.elman.backend.Tensor;

/** Forward and backward of a {@link SimpleRnnClassifier} over rows that are a batch, or a worker's share of one. */
final class ClassifierPass implements AutoCloseable {
    private final SimpleRnnClassifier model;
    private final Minibatch minibatch;
    private final WeightedLoss weightedLoss;

    ClassifierPass(SimpleRnnClassifier model) {
        this.model = model;
        this.minibatch = new Minibatch(model.backend(), model.config().inputSize());
        this.weightedLoss = new WeightedLoss(model.backend());
    }

    /**
     * Adds to the gradients of the mean loss of the whole batch.
     *
     * @param firstRow number that the first of {@code rows} has in the whole batch
     * @param total weight of the whole batch
     * @param metrics [2], overwritten: {what these rows add to that mean, weight of the hits}
     */
    void learn(TrainingData data, int[] rows, int firstRow, double total, long seed, Tensor metrics) {
        minibatch.load(data.input(), rows, data.labels());
        Tensor logits = model.network().forward(minibatch, seed, firstRow);
        weightedLoss.run(data, rows, minibatch.labels(), model.config().labelSmoothing(), total, logits, metrics);
        model.network().backward(logits);
    }

    @Override
    public void close() {
        minibatch.close();
        weightedLoss.close();
    }
}
