package dev.elman.cpu;

import dev.elman.backend.Operands;
import java.util.Arrays;

/**
 * Softmax, and cross-entropy with label smoothing: target q = (1 - smoothing) onehot + smoothing / K, gradient p - q.
 * Exponentials and sums in double, shifted by the row's maximum so that nothing overflows.
 */
final class CrossEntropy {
    /** Elements of a task, of whole rows. */
    private static final int TASK = 1 << 13;

    /** Operations that an exponential counts for. */
    private static final int WORK = 40;

    private final Workers workers;
    private final Operands.Logits sizes;
    private final int rowsAtOnce;
    private final int tasks;

    CrossEntropy(Workers workers, Operands.Logits sizes) {
        this.workers = workers;
        this.sizes = sizes;
        this.rowsAtOnce = Math.max(1, TASK / Math.max(1, sizes.k()));
        this.tasks = (int) ((sizes.m() + rowsAtOnce - 1L) / rowsAtOnce);
    }

    private interface Row {
        /** Works in place on row m. */
        void run(int m, float[] row, double[] exponentials, int task);
    }

    private void forEachRow(CpuTensor x, CpuTensor y, Row body) {
        int width = sizes.k();
        workers.run(tasks, (long) WORK * sizes.m() * width, (task, scratch) -> {
            float[] row = scratch.floats(0, width);
            double[] exponentials = new double[width];
            int end = (int) Math.min(sizes.m(), (task + 1L) * rowsAtOnce);
            for (int m = task * rowsAtOnce; m < end; m++) {
                x.read(m * width, row, width);
                body.run(m, row, exponentials, task);
                y.write(m * width, row, width);
            }
        });
    }

    void softmax(CpuTensor x, CpuTensor y) {
        forEachRow(x, y, (m, row, exponentials, task) -> {
            double sum = exponentiate(row, max(row), exponentials);
            for (int k = 0; k < sizes.k(); k++) row[k] = (float) (exponentials[k] / sum);
        });
    }

    void run(
            CpuTensor logits,
            CpuIntTensor labels,
            double smoothing,
            double scale,
            CpuTensor metrics,
            CpuTensor dLogits) {
        // One place for each task, added up in order afterwards.
        double[] losses = new double[tasks];
        int[] correct = new int[tasks];
        forEachRow(logits, dLogits, (m, row, exponentials, task) -> {
            int label = labels.get(m);
            if (label < 0) {
                Arrays.fill(row, 0, sizes.k(), 0);
                return;
            }
            if (argmax(row) == label) correct[task]++;
            losses[task] += lossAndGradient(row, exponentials, label, smoothing, scale);
        });
        double loss = 0;
        int right = 0;
        for (int task = 0; task < tasks; task++) {
            loss += losses[task];
            right += correct[task];
        }
        metrics.write(0, new float[] {(float) (scale * loss), right}, 2);
    }

    /** Returns the loss of a row and replaces it by its gradient. */
    private double lossAndGradient(float[] row, double[] exponentials, int label, double smoothing, double scale) {
        float max = max(row);
        double sum = exponentiate(row, max, exponentials);
        double logSum = Math.log(sum);
        double loss = 0;
        for (int k = 0; k < sizes.k(); k++) {
            double target = (k == label ? 1 - smoothing : 0) + smoothing / sizes.k();
            loss -= target * ((double) row[k] - max - logSum);
            row[k] = (float) (scale * (exponentials[k] / sum - target));
        }
        return loss;
    }

    private int argmax(float[] row) {
        int best = 0;
        for (int k = 1; k < sizes.k(); k++) {
            if (row[k] > row[best]) best = k;
        }
        return best;
    }

    private float max(float[] row) {
        float max = Float.NEGATIVE_INFINITY;
        for (int k = 0; k < sizes.k(); k++) max = Math.max(max, row[k]);
        return max;
    }

    /** The exponentials of what a row has above its maximum, which beside a large one would be lost in their sum; returns that. */
    private double exponentiate(float[] row, float max, double[] exponentials) {
        double sum = 0;
        for (int k = 0; k < sizes.k(); k++) {
            exponentials[k] = Math.exp((double) row[k] - max);
            sum += exponentials[k];
        }
        return sum;
    }
}
