package dev.elman.train;

import dev.elman.backend.Buffer;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;

/** Forward and backward of a {@link SimpleRnnClassifier} over rows that are a batch, or a worker's share of one. */
final class ClassifierPass implements AutoCloseable {
    private final SimpleRnnClassifier model;
    private final Minibatch minibatch;
    private final WeightedLoss weightedLoss;
    /** Loss and hits of one further piece of the batch. */
    private final Buffer sums;

    ClassifierPass(SimpleRnnClassifier model) {
        this.model = model;
        this.minibatch = new Minibatch(model.backend(), model.config().inputSize());
        this.weightedLoss = new WeightedLoss(model.backend());
        this.sums = new Buffer(model.backend());
    }

    /**
     * Adds to the gradients of the mean loss of the whole batch.
     *
     * @param firstRow number that the first of {@code rows} has in the whole batch
     * @param total weight of the whole batch
     * @param metrics [2], overwritten: {what these rows add to that mean, weight of the hits}
     */
    void learn(TrainingData data, int[] rows, int firstRow, double total, long seed, Tensor metrics) {
        int done = 0;
        Tensor further = sums.of(Shape.of(2)); // always, so that its memory is there for the first batch that is cut
        for (int[] piece : Batches.pieces(data.input()::length, rows)) {
            Tensor ofPiece = done == 0 ? metrics : further;
            learnPiece(data, piece, firstRow + done, total, seed, ofPiece);
            if (done > 0) model.backend().axpy(1, ofPiece, metrics);
            done += piece.length;
        }
    }

    private void learnPiece(TrainingData data, int[] rows, int firstRow, double total, long seed, Tensor metrics) {
        minibatch.load(data.input(), rows, data.labels());
        Tensor logits = model.network().forward(minibatch, seed, firstRow);
        weightedLoss.run(data, rows, minibatch.labels(), model.config().labelSmoothing(), total, logits, metrics);
        model.network().backward(logits);
    }

    @Override
    public void close() {
        minibatch.close();
        weightedLoss.close();
        sums.close();
    }
}
