package dev.elman.golden;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A small classifier trained for some steps: embedding, both directions, maximum over live steps, dense, loss, SGD. */
final class GoldenTraining {
    private static final List<String> NAMES = List.of("table", "wx_f", "wh_f", "b_f", "wx_r", "wh_r", "b_r", "w", "b");

    /** Generous: errors of several layers and steps. */
    private static final long TERMS = 500;

    private final GoldenCase fixture;
    private final Backend backend;
    private final Map<String, Tensor> weights = new LinkedHashMap<>();
    private final Map<String, Tensor> gradients = new LinkedHashMap<>();
    private final Map<String, Tensor> velocities = new LinkedHashMap<>();
    private final int t;
    private final int n;
    private final int d;
    private final int h;
    private final int k;

    GoldenTraining(GoldenCase fixture) {
        this.fixture = fixture;
        this.backend = fixture.backend();
        for (String name : NAMES) {
            weights.put(name, fixture.upload(name));
            gradients.put(name, fixture.zeros(fixture.shape(name)));
            velocities.put(name, fixture.zeros(fixture.shape(name)));
        }
        this.t = fixture.shape("ids").extent(1);
        this.n = fixture.shape("ids").extent(2);
        this.d = fixture.shape("table").extent(1);
        this.h = fixture.shape("wh_f").extent(0);
        this.k = fixture.shape("w").extent(1);
    }

    void run() {
        for (int step = 0; step < fixture.shape("ids").extent(0); step++) {
            gradients.values().forEach(gradient -> backend.fill(gradient, 0));
            minibatch(step);
            if (step == 0) gradients.forEach((name, gradient) -> fixture.assertClose("d" + name, gradient, TERMS));
            SgdStep sgd = new SgdStep(fixture.number("learning_rate"), fixture.number("momentum"), false, 0);
            for (String name : NAMES) {
                backend.sgdStep(sgd, weights.get(name), gradients.get(name), velocities.get(name));
            }
        }
        weights.forEach((name, tensor) -> fixture.assertClose(name + "_after", tensor, TERMS));
    }

    private void minibatch(int step) {
        long sequence = (long) step * t * n;
        IntTensor ids = fixture.uploadInts("ids").view(sequence, Shape.of(t, n));
        IntTensor mask = fixture.uploadInts("mask").view(sequence, Shape.of(t, n));
        IntTensor labels = fixture.uploadInts("labels").view((long) step * n, Shape.of(n));
        Tensor x = fixture.zeros(t, n, d);
        backend.embeddingForward(weights.get("table"), ids, x);
        Direction forward = new Direction("_f", 0, new SimpleRnnPass(Activation.TANH, false, mask), x);
        Direction reverse = new Direction("_r", h, new SimpleRnnPass(Activation.TANH, true, mask), x);
        Tensor y = fixture.zeros(t, n, 2 * h);
        forward.forward(y);
        reverse.forward(y);
        Tensor pooled = fixture.zeros(n, 2 * h);
        IntTensor argmax = fixture.zeroInts(Shape.of(n, 2 * h));
        backend.poolForward(Pooling.MAX, y, mask, pooled, argmax);
        Tensor logits = fixture.zeros(n, k);
        backend.denseForward(pooled, weights.get("w"), weights.get("b"), logits);
        fixture.assertCloseOfStep("logits", step, logits.toDoubles(), TERMS);
        Tensor metrics = fixture.zeros(2);
        Tensor dLogits = fixture.zeros(n, k);
        backend.softmaxCrossEntropy(logits, labels, fixture.number("smoothing"), 1.0 / n, metrics, dLogits);
        fixture.assertCloseOfStep("losses", step, new double[] {metrics.toDoubles()[0]}, TERMS);

        Tensor dPooled = fixture.zeros(n, 2 * h);
        backend.denseBackward(pooled, weights.get("w"), dLogits, dPooled, gradients.get("w"), gradients.get("b"));
        Tensor dy = fixture.zeros(t, n, 2 * h);
        backend.poolBackward(Pooling.MAX, dPooled, mask, argmax, dy);
        Tensor dx = forward.backward(dy);
        backend.axpy(1, reverse.backward(dy), dx);
        backend.embeddingBackward(ids, dx, gradients.get("table"));
    }

    /** One direction of the layer, whose columns of y begin at {@code column}. */
    private final class Direction {
        private final SimpleRnnWeights ownGradients;
        private final int column;
        private final SimpleRnnForward forward;

        Direction(String suffix, int column, SimpleRnnPass pass, Tensor x) {
            this.ownGradients = named(gradients, suffix);
            this.column = column;
            this.forward = new SimpleRnnForward(named(weights, suffix), pass, x, fixture.zeros(t + 1, n, h));
        }

        private static SimpleRnnWeights named(Map<String, Tensor> all, String suffix) {
            return new SimpleRnnWeights(all.get("wx" + suffix), all.get("wh" + suffix), all.get("b" + suffix));
        }

        void forward(Tensor y) {
            backend.simpleRnnForward(forward);
            backend.copyColumns(forward.pass().outputs(forward.h()), 0, y, column, h);
        }

        Tensor backward(Tensor dy) {
            Tensor dh = fixture.zeros(t + 1, n, h);
            backend.copyColumns(dy, column, forward.pass().outputs(dh), 0, h);
            Tensor dx = fixture.zeros(t, n, d);
            backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, dx, ownGradients));
            return dx;
        }
    }
}
