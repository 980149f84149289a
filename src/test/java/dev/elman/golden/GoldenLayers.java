package dev.elman.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.Arrays;

/** Embedding, dense, pooling, cross-entropy. */
final class GoldenLayers {
    private GoldenLayers() {}

    static void embedding(GoldenCase fixture) {
        IntTensor ids = fixture.uploadInts("ids");
        Tensor y = fixture.zeros(fixture.shape("y"));
        fixture.backend().embeddingForward(fixture.upload("table"), ids, y);
        fixture.assertClose("y", y, 1);
        Tensor dTable = fixture.zeros(fixture.shape("dtable"));
        fixture.backend().embeddingBackward(ids, fixture.upload("dy"), dTable);
        fixture.assertClose("dtable", dTable, ids.shape().size());
    }

    static void dense(GoldenCase fixture) {
        Tensor x = fixture.upload("x");
        Tensor w = fixture.upload("w");
        Tensor y = fixture.zeros(fixture.shape("y"));
        fixture.backend().denseForward(x, w, fixture.upload("b"), y);
        fixture.assertClose("y", y, w.shape().extent(0) + 1L);
        denseBackward(fixture, x, w, fixture.upload("dy"));
    }

    private static void denseBackward(GoldenCase fixture, Tensor x, Tensor w, Tensor dy) {
        Tensor dx = fixture.zeros(x.shape());
        Tensor dw = fixture.zeros(w.shape());
        Tensor db = fixture.zeros(fixture.shape("db"));
        fixture.backend().denseBackward(x, w, dy, dx, dw, db);
        fixture.assertClose("dx", dx, w.shape().extent(1));
        fixture.assertClose("dw", dw, x.shape().extent(0));
        fixture.assertClose("db", db, x.shape().extent(0));
    }

    static void pool(GoldenCase fixture) {
        Pooling pooling = fixture.text("operation").equals("pool_max") ? Pooling.MAX : Pooling.MEAN;
        IntTensor mask = fixture.uploadInts("mask");
        Tensor y = fixture.zeros(fixture.shape("y"));
        IntTensor argmax = pooling == Pooling.MAX ? fixture.zeroInts(y.shape()) : null;
        fixture.backend().poolForward(pooling, fixture.upload("x"), mask, y, argmax);
        fixture.assertClose("y", y, mask.shape().extent(0));
        Tensor dx = fixture.zeros(fixture.shape("dx"));
        fixture.backend().poolBackward(pooling, fixture.upload("dy"), mask, argmax, dx);
        fixture.assertClose("dx", dx, 1);
    }

    /** PyTorch's mean over the rows that have a label. Logits are given: what they lost to rounding is not the loss's. */
    static void crossEntropy(GoldenCase fixture) {
        Backend backend = fixture.backend();
        Tensor x = fixture.upload("x");
        Tensor w = fixture.upload("w");
        Tensor computed = fixture.zeros(fixture.shape("logits"));
        backend.denseForward(x, w, fixture.upload("b"), computed);
        fixture.assertClose("logits", computed, w.shape().extent(0) + 1L);

        Tensor logits = fixture.upload("logits");
        double largest =
                Arrays.stream(fixture.values("logits")).map(Math::abs).max().orElseThrow();
        long terms = logits.shape().size();
        Tensor probabilities = fixture.zeros(logits.shape());
        backend.softmax(logits, probabilities);
        double[] expected = fixture.values("probabilities");
        fixture.assertClose("probabilities", expected, probabilities.toDoubles(), terms, largest);

        int[] labels = fixture.integers("labels");
        double scale = 1.0 / Arrays.stream(labels).filter(label -> label >= 0).count();
        double smoothing = fixture.number("smoothing");
        Tensor metrics = fixture.zeros(2);
        Tensor dLogits = fixture.zeros(logits.shape());
        backend.softmaxCrossEntropy(logits, fixture.uploadInts("labels"), smoothing, scale, metrics, dLogits);
        double[] loss = Arrays.copyOf(metrics.toDoubles(), 1);
        fixture.assertClose("loss", fixture.values("loss"), loss, terms, largest);
        fixture.assertClose("dlogits", fixture.values("dlogits"), dLogits.toDoubles(), terms, largest * scale);
        assertEquals(correct(fixture, labels), metrics.toDoubles()[1]);
        denseBackward(fixture, x, w, fixture.upload("dlogits"));
        judgeSingleRows(fixture, labels, smoothing, largest);
    }

    private static int correct(GoldenCase fixture, int[] labels) {
        double[] logits = fixture.values("logits");
        int k = fixture.shape("logits").extent(1);
        int correct = 0;
        for (int row = 0; row < labels.length; row++) {
            double[] own = Arrays.copyOfRange(logits, row * k, (row + 1) * k);
            if (labels[row] >= 0 && own[labels[row]] == Arrays.stream(own).max().orElseThrow()) correct++;
        }
        return correct;
    }

    private static void judgeSingleRows(GoldenCase fixture, int[] labels, double smoothing, double largest) {
        Tensor logits = fixture.upload("logits");
        IntTensor ids = fixture.uploadInts("labels");
        double[] losses = new double[labels.length];
        for (int row = 0; row < labels.length; row++) {
            Tensor metrics = fixture.zeros(2);
            Tensor dLogits = fixture.zeros(1, logits.shape().extent(1));
            IntTensor label = ids.view(row, Shape.of(1));
            fixture.backend().softmaxCrossEntropy(logits.slice(row, 1), label, smoothing, 1, metrics, dLogits);
            losses[row] = metrics.toDoubles()[0];
        }
        fixture.assertClose(
                "losses", fixture.values("losses"), losses, logits.shape().extent(1), largest);
    }
}
