package dev.elman.cpu;

import dev.elman.backend.Operands;
import java.util.Arrays;

/** Maximum or mean over the live steps of each row, and their gradients; one task for each row of the batch. */
final class PoolOverTime {
    private final Workers workers;
    private final Operands.Sequence sizes;
    private final CpuIntTensor mask;

    PoolOverTime(Workers workers, Operands.Sequence sizes, CpuIntTensor mask) {
        this.workers = workers;
        this.sizes = sizes;
        this.mask = mask;
    }

    private void forEachRow(Workers.Task row) {
        workers.run(sizes.n(), 4L * sizes.t() * sizes.n() * sizes.c(), row);
    }

    void maxForward(CpuTensor x, CpuTensor y, CpuIntTensor argmax) {
        int width = sizes.c();
        forEachRow((n, scratch) -> {
            int[] row = new int[Maxima.WIDTH];
            for (int from = 0; from < width; from += Maxima.WIDTH) {
                int count = Math.min(Maxima.WIDTH, width - from);
                Maxima maxima = new Maxima();
                for (int t = 0; t < sizes.t(); t++) {
                    if (!live(t, n)) continue;
                    x.readBits(index(t, n) + from, row, count);
                    maxima.take(row, t);
                }
                y.writeBits(n * width + from, maxima.bits(), count);
                argmax.write(n * width + from, maxima.steps(), count);
            }
        });
    }

    void maxBackward(CpuTensor dy, CpuIntTensor argmax, CpuTensor dx) {
        int width = sizes.c();
        forEachRow((n, scratch) -> {
            float[] gradient = scratch.floats(0, width);
            float[] zeros = scratch.floats(1, width);
            int[] steps = new int[width];
            dy.read(n * width, gradient, width);
            argmax.read(n * width, steps, width);
            Arrays.fill(zeros, 0, width, 0);
            for (int t = 0; t < sizes.t(); t++) dx.write(index(t, n), zeros, width);
            for (int c = 0; c < width; c++) {
                int t = steps[c];
                if (t >= 0 && t < sizes.t()) dx.floats().put(dx.index(index(t, n) + c), gradient[c]);
            }
        });
    }

    void meanForward(CpuTensor x, CpuTensor y) {
        int width = sizes.c();
        forEachRow((n, scratch) -> {
            float[] row = scratch.floats(0, width);
            double[] sums = new double[width];
            for (int t = 0; t < sizes.t(); t++) {
                if (!live(t, n)) continue;
                x.read(index(t, n), row, width);
                for (int c = 0; c < width; c++) sums[c] += row[c];
            }
            int count = liveSteps(n);
            for (int c = 0; c < width; c++) row[c] = count == 0 ? 0 : (float) (sums[c] / count);
            y.write(n * width, row, width);
        });
    }

    void meanBackward(CpuTensor dy, CpuTensor dx) {
        int width = sizes.c();
        forEachRow((n, scratch) -> {
            float[] gradient = scratch.floats(0, width);
            float[] zeros = scratch.floats(1, width);
            Arrays.fill(zeros, 0, width, 0);
            dy.read(n * width, gradient, width);
            int count = liveSteps(n);
            for (int c = 0; c < width; c++) gradient[c] /= count;
            for (int t = 0; t < sizes.t(); t++) dx.write(index(t, n), live(t, n) ? gradient : zeros, width);
        });
    }

    private int liveSteps(int n) {
        int count = 0;
        for (int t = 0; t < sizes.t(); t++) {
            if (live(t, n)) count++;
        }
        return count;
    }

    private boolean live(int t, int n) {
        return mask == null || mask.get(t * sizes.n() + n) != 0;
    }

    private int index(int t, int n) {
        return (t * sizes.n() + n) * sizes.c();
    }
}
