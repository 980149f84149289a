package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;

/** Forward and backward of a {@link SimpleRnnClassifier} over rows that are a batch, or a worker's share of one. */
final class ClassifierPass implements AutoCloseable {
    private final SimpleRnnClassifier model;
    private final Backend backend;
    private final Minibatch minibatch;
    /** Loss and hits of the rows of one weight. */
    private final Tensor part;

    ClassifierPass(SimpleRnnClassifier model) {
        this.model = model;
        this.backend = model.backend();
        this.minibatch = new Minibatch(backend, model.config().inputSize());
        this.part = backend.allocate(Shape.of(2));
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
        if (data.weights() == null) loss(logits, 0, rows.length, 1 / total, metrics);
        else weightedLoss(data, rows, total, logits, metrics);
        model.network().backward(logits);
    }

    /** Rows of equal weight that lie side by side are one call. */
    private void weightedLoss(TrainingData data, int[] rows, double total, Tensor logits, Tensor metrics) {
        backend.fill(metrics, 0);
        int to;
        for (int from = 0; from < rows.length; from = to) {
            float weight = data.weight(rows[from]);
            to = from + 1;
            while (to < rows.length && data.weight(rows[to]) == weight) to++;
            // A batch without any weight has no loss and no gradient.
            loss(logits, from, to - from, weight == 0 ? 0 : weight / total, part);
            backend.axpy(1, part.slice(0, 1), metrics.slice(0, 1));
            backend.axpy(weight, part.slice(1, 1), metrics.slice(1, 1));
        }
    }

    private void loss(Tensor logits, int from, int count, double scale, Tensor metrics) {
        Tensor some = logits.slice(from, count);
        backend.softmaxCrossEntropy(
                some,
                minibatch.labels().view(from, Shape.of(count)),
                model.config().labelSmoothing(),
                scale,
                metrics,
                some);
    }

    @Override
    public void close() {
        minibatch.close();
        part.close();
    }
}
