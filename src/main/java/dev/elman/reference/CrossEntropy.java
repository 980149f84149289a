package dev.elman.reference;

import dev.elman.backend.Operands;

/** Softmax, and cross-entropy with label smoothing: target q = (1 - smoothing) onehot + smoothing / K, gradient p - q. */
final class CrossEntropy {
    private final Operands.Logits sizes;
    private final double smoothing;
    private final double scale;

    CrossEntropy(Operands.Logits sizes, double smoothing, double scale) {
        this.sizes = sizes;
        this.smoothing = smoothing;
        this.scale = scale;
    }

    void run(ReferenceTensor logits, ReferenceIntTensor labels, ReferenceTensor metrics, ReferenceTensor dLogits) {
        double loss = 0;
        int correct = 0;
        for (int m = 0; m < sizes.m(); m++) {
            int label = labels.get(m);
            if (label >= 0) {
                loss += scale * loss(logits, m, label);
                if (argmax(logits, m) == label) correct++;
            }
            softmax(logits, dLogits, m, sizes.k());
            for (int k = 0; k < sizes.k(); k++) {
                int i = m * sizes.k() + k;
                dLogits.put(i, label < 0 ? 0 : scale * (dLogits.get(i) - target(k, label)));
            }
        }
        metrics.put(0, loss);
        metrics.put(1, correct);
    }

    private double loss(ReferenceTensor logits, int m, int label) {
        double[] logProbabilities = logSoftmax(logits, m, sizes.k());
        double loss = 0;
        for (int k = 0; k < sizes.k(); k++) loss -= target(k, label) * logProbabilities[k];
        return loss;
    }

    private double target(int k, int label) {
        return (k == label ? 1 - smoothing : 0) + smoothing / sizes.k();
    }

    private int argmax(ReferenceTensor logits, int m) {
        int best = 0;
        for (int k = 1; k < sizes.k(); k++) {
            if (logits.get(m * sizes.k() + k) > logits.get(m * sizes.k() + best)) best = k;
        }
        return best;
    }

    /** Row m of y = softmax of row m of x. */
    static void softmax(ReferenceTensor x, ReferenceTensor y, int m, int columns) {
        double[] logProbabilities = logSoftmax(x, m, columns);
        for (int k = 0; k < columns; k++) y.put(m * columns + k, Math.exp(logProbabilities[k]));
    }

    /**
     * Of row m. Its maximum is subtracted first: nothing overflows, and the logarithm of the sum is not lost beside large
     * logits.
     */
    private static double[] logSoftmax(ReferenceTensor x, int m, int columns) {
        double max = Double.NEGATIVE_INFINITY;
        for (int k = 0; k < columns; k++) max = Math.max(max, x.get(m * columns + k));
        double[] shifted = new double[columns];
        double sum = 0;
        for (int k = 0; k < columns; k++) {
            shifted[k] = x.get(m * columns + k) - max;
            sum += Math.exp(shifted[k]);
        }
        double logSum = Math.log(sum);
        for (int k = 0; k < columns; k++) shifted[k] -= logSum;
        return shifted;
    }
}
