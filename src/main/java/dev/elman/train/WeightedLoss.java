package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;

/** The loss of rows of which each counts as much as its weight says. */
final class WeightedLoss implements AutoCloseable {
    private final Backend backend;
    /** Loss and hits of the rows of one weight. */
    private final Buffer part;

    WeightedLoss(Backend backend) {
        this.backend = backend;
        this.part = new Buffer(backend);
    }

    /**
     * Rows of equal weight that lie side by side are one call.
     *
     * @param rows that the labels and logits are of
     * @param total what the sum is divided by
     * @param logits [N,K], overwritten with their gradient
     * @param metrics [2], overwritten: {weighted loss / total, weight of the hits}
     */
    void run(
            TrainingData data,
            int[] rows,
            IntTensor labels,
            double smoothing,
            double total,
            Tensor logits,
            Tensor metrics) {
        if (data.weights() == null) {
            backend.softmaxCrossEntropy(logits, labels, smoothing, 1 / total, metrics, logits);
            return;
        }
        Tensor sums = part.of(Shape.of(2));
        backend.fill(metrics, 0);
        int to;
        for (int from = 0; from < rows.length; from = to) {
            float weight = data.weight(rows[from]);
            to = from + 1;
            while (to < rows.length && data.weight(rows[to]) == weight) to++;
            Tensor some = logits.slice(from, to - from);
            if (weight == 0) {
                // Not even a loss that is no number.
                backend.fill(some, 0);
                continue;
            }
            backend.softmaxCrossEntropy(
                    some, labels.view(from, Shape.of(to - from)), smoothing, weight / total, sums, some);
            backend.axpy(1, sums.slice(0, 1), metrics.slice(0, 1));
            backend.axpy(weight, sums.slice(1, 1), metrics.slice(1, 1));
        }
    }

    @Override
    public void close() {
        part.close();
    }
}
