package dev.elman.verify;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Softmax and cross-entropy. */
final class LossSamples {
    /** K of a language model whose tokens are words. */
    private static final int LARGE = 20_011;

    /** M of a minibatch of texts: more than a GPU's threads add up in one round. */
    private static final int MANY = 2_500;

    private LossSamples() {}

    static List<Sample> all() {
        List<Sample> samples = new ArrayList<>();
        for (int m : new int[] {0, 1, 3, 33}) {
            for (int k : new int[] {1, 2, 5, 33, 100, 1001}) {
                samples.add(softmax(m, k, 5));
                samples.add(softmax(m, k, 1e4));
                samples.add(new Loss(m, k, 3, 0, 1.0 / Math.max(1, m), k % 2 == 0).sample());
                samples.add(new Loss(m, k, 3, .1, 1, k % 2 == 1).sample());
                samples.add(new Loss(m, k, 1e4, .25, .5, k % 2 == 0).sample());
                samples.add(new Loss(m, k, 0, 0, 1, false).sample());
            }
        }
        samples.add(softmax(3, LARGE, 5));
        samples.add(new Loss(3, LARGE, 3, .1, 1, false).sample());
        samples.add(new Loss(MANY, 2, 3, 0, 1.0 / MANY, false).sample());
        return samples;
    }

    static List<Sample> specimens() {
        return List.of(softmax(4, 5, 2), new Loss(4, 5, 2, .1, .25, false).sample());
    }

    /** An exp that is not shifted overflows in logits of 1e4. */
    private static Sample softmax(int m, int k, double spread) {
        boolean inPlace = (m + k) % 2 == 0;
        return Sample.of("softmax", rows(m, k), logitsUpTo(spread) + (inPlace ? ", y is x" : ""), trial -> {
            double[] values = trial.uniform((long) m * k, spread);
            Tolerance tolerance = Tolerance.ofTerms(k + 1L);
            if (inPlace) {
                Tensor x = trial.replaced("x", Sample.rows(m, k), values, tolerance);
                return backend -> backend.softmax(x, x);
            }
            Tensor x = trial.input("x", Sample.rows(m, k), values);
            Tensor y = trial.output("y", Sample.rows(m, k), tolerance);
            return backend -> backend.softmax(x, y);
        });
    }

    private static String rows(int m, int k) {
        return "M=" + m + " K=" + k;
    }

    private static String logitsUpTo(double spread) {
        return spread == 0 ? "equal logits" : "logits up to " + (int) spread;
    }

    /** Rows with negative labels among others; with spread 0, the largest logit stands twice and the label is one of them. */
    private record Loss(int m, int k, double spread, double smoothing, double scale, boolean inPlace) {
        Sample sample() {
            String variant = logitsUpTo(spread) + ", smoothing " + smoothing + (inPlace ? ", in place" : "");
            return Sample.of("softmaxCrossEntropy", rows(m, k), variant, this::prepare);
        }

        private Consumer<Backend> prepare(Trial trial) {
            Shape shape = Sample.rows(m, k);
            double[] values = trial.uniform(shape.size(), spread);
            int[] chosen = trial.integers(m, -1, k);
            if (spread == 0) {
                for (int row = 0; row < m; row++) {
                    values[row * k + k / 2] = 1;
                    values[row * k + k - 1] = 1;
                    chosen[row] = row % 2 == 0 ? k / 2 : k - 1;
                }
            }
            Tolerance gradient = new Tolerance(k + 2L, scale);
            Tensor logits =
                    inPlace ? trial.replaced("logits", shape, values, gradient) : trial.input("logits", shape, values);
            IntTensor labels = trial.ints("labels", Sample.rows(m), chosen);
            Tensor metrics = trial.output("metrics", Shape.of(2), new Tolerance((long) m + k, scale * spread));
            Tensor dLogits = inPlace ? logits : trial.output("dLogits", shape, gradient);
            return backend -> backend.softmaxCrossEntropy(logits, labels, smoothing, scale, metrics, dLogits);
        }
    }
}
