package dev.elman.cpu;

import dev.elman.backend.AdamStep;
import dev.elman.backend.SgdStep;
import java.util.Arrays;

/**
 * Loops over whole tensors, block by block on the heap. Where a step has several results, each has its own loop: C2
 * vectorises those, and the block stays in the first-level cache. Each loop goes over a whole block, with zeros behind the end of
 * the last one, for one of any length would be slow for good if it met short ones first.
 */
final class Elementwise {
    /** Elements of a block: four blocks fit the first-level cache, and a small tensor does not take long. */
    private static final int BLOCK = 1024;

    /** Elements of a task. */
    private static final int TASK = 64 * BLOCK;

    private final Workers workers;

    Elementwise(Workers workers) {
        this.workers = workers;
    }

    /** Works on a block of each tensor. */
    private interface Loop {
        void run(float[][] blocks);
    }

    /** Reads all tensors and writes back those from number {@code firstResult} on. */
    private void forEach(int firstResult, Loop loop, CpuTensor... tensors) {
        int size = tensors[0].size();
        workers.run(tasks(size), 8L * size, (task, scratch) -> {
            float[][] blocks = new float[tensors.length][];
            for (int i = 0; i < blocks.length; i++) blocks[i] = scratch.floats(i, BLOCK);
            int end = (int) Math.min(size, (task + 1L) * TASK);
            for (int from = task * TASK; from < end; from += BLOCK) {
                int count = Math.min(BLOCK, end - from);
                for (int i = 0; i < blocks.length; i++) read(tensors[i], from, blocks[i], count);
                loop.run(blocks);
                for (int i = firstResult; i < blocks.length; i++) tensors[i].write(from, blocks[i], count);
            }
        });
    }

    /** Reads {@code count} elements, with zeros behind them: what was there might be denormal, and take processors long. */
    private static void read(CpuTensor tensor, int from, float[] block, int count) {
        tensor.read(from, block, count);
        Arrays.fill(block, count, BLOCK, 0);
    }

    private static int tasks(int size) {
        return (int) ((size + TASK - 1L) / TASK);
    }

    /** Writes without reading, which is most of what it takes. */
    void fill(CpuTensor y, float value) {
        workers.run(tasks(y.size()), 4L * y.size(), (task, scratch) -> {
            int from = task * TASK;
            int end = Math.min(TASK, y.size() - from) + from;
            float[] block = scratch.floats(0, BLOCK);
            Arrays.fill(block, 0, Math.min(BLOCK, end - from), value);
            for (; from < end; from += BLOCK) y.write(from, block, Math.min(BLOCK, end - from));
        });
    }

    void copy(CpuTensor x, CpuTensor y) {
        workers.run(tasks(x.size()), 2L * x.size(), (task, scratch) -> {
            int from = task * TASK;
            x.copyTo(from, y, from, Math.min(TASK, x.size() - from));
        });
    }

    void axpy(float alpha, CpuTensor x, CpuTensor y) {
        Loop loop = blocks -> {
            float[] from = blocks[0];
            float[] to = blocks[1];
            for (int i = 0; i < BLOCK; i++) to[i] += alpha * from[i];
        };
        forEach(1, loop, x, y);
    }

    /** Reading a block of each before writing one lets y be a or b. */
    void multiply(CpuTensor a, CpuTensor b, CpuTensor y) {
        Loop loop = blocks -> {
            float[] left = blocks[0];
            float[] right = blocks[1];
            float[] to = blocks[2];
            for (int i = 0; i < BLOCK; i++) to[i] = left[i] * right[i];
        };
        forEach(2, loop, a, b, y);
    }

    void penalize(CpuTensor w, float l1, float twiceL2, CpuTensor g) {
        Loop loop = blocks -> {
            float[] weights = blocks[0];
            float[] gradient = blocks[1];
            for (int i = 0; i < BLOCK; i++) gradient[i] += l1 * Math.signum(weights[i]) + twiceL2 * weights[i];
        };
        forEach(1, loop, w, g);
    }

    void rectify(CpuTensor w) {
        Loop loop = blocks -> {
            float[] weights = blocks[0];
            for (int i = 0; i < BLOCK; i++) weights[i] = Math.max(weights[i], 0);
        };
        forEach(0, loop, w);
    }

    void clip(CpuTensor g, float limit) {
        Loop loop = blocks -> {
            float[] values = blocks[0];
            for (int i = 0; i < BLOCK; i++) values[i] = Math.max(-limit, Math.min(limit, values[i]));
        };
        forEach(0, loop, g);
    }

    void scale(CpuTensor g, double factor) {
        float rounded = (float) factor;
        Loop inFloat = blocks -> {
            float[] values = blocks[0];
            for (int i = 0; i < BLOCK; i++) values[i] *= rounded;
        };
        Loop inDouble = blocks -> {
            float[] values = blocks[0];
            for (int i = 0; i < BLOCK; i++) values[i] = (float) (values[i] * factor);
        };
        // Below the normal numbers a float has fewer digits, or none; in double the loop is slower.
        forEach(0, factor < Float.MIN_NORMAL ? inDouble : inFloat, g);
    }

    /** The Euclidean norm, summed in double: each task its part, then the parts in order. */
    double norm(CpuTensor g) {
        double[] squares = new double[tasks(g.size())];
        workers.run(squares.length, 8L * g.size(), (task, scratch) -> {
            float[] block = scratch.floats(0, BLOCK);
            int end = (int) Math.min(g.size(), (task + 1L) * TASK);
            for (int from = task * TASK; from < end; from += BLOCK) {
                int count = Math.min(BLOCK, end - from);
                read(g, from, block, count);
                squares[task] += squares(block);
            }
        });
        double sum = 0;
        for (double part : squares) sum += part;
        return Math.sqrt(sum);
    }

    /** Four sums at once, so that an addition need not wait for the one before. */
    private static double squares(float[] block) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        for (int i = 0; i < BLOCK; i += 4) {
            s0 += (double) block[i] * block[i];
            s1 += (double) block[i + 1] * block[i + 1];
            s2 += (double) block[i + 2] * block[i + 2];
            s3 += (double) block[i + 3] * block[i + 3];
        }
        return (s0 + s1) + (s2 + s3);
    }

    void sgd(SgdStep step, CpuTensor w, CpuTensor g, CpuTensor velocity) {
        float rate = (float) step.learningRate();
        float decay = (float) step.weightDecay();
        float momentum = (float) step.momentum();
        if (velocity == null) {
            Loop loop = blocks -> descend(blocks[1], blocks[0], rate, decay);
            forEach(1, loop, g, w);
            return;
        }
        Loop loop = blocks -> {
            float[] gradient = blocks[0];
            float[] weights = blocks[1];
            float[] v = blocks[2];
            for (int i = 0; i < BLOCK; i++) gradient[i] += decay * weights[i];
            for (int i = 0; i < BLOCK; i++) v[i] = momentum * v[i] + gradient[i];
            if (step.nesterov()) {
                for (int i = 0; i < BLOCK; i++) gradient[i] += momentum * v[i];
                descend(weights, gradient, rate, 0);
            } else {
                descend(weights, v, rate, 0);
            }
        };
        forEach(1, loop, g, w, velocity);
    }

    private static void descend(float[] weights, float[] direction, float rate, float decay) {
        for (int i = 0; i < BLOCK; i++) weights[i] -= rate * (direction[i] + decay * weights[i]);
    }

    void adam(AdamStep step, CpuTensor w, CpuTensor g, CpuTensor m, CpuTensor v) {
        float beta1 = (float) step.beta1();
        float beta2 = (float) step.beta2();
        float rest1 = (float) (1 - step.beta1());
        float rest2 = (float) (1 - step.beta2());
        float coupled = step.decoupled() ? 0 : (float) step.weightDecay();
        float kept = step.decoupled() ? (float) (1 - step.learningRate() * step.weightDecay()) : 1;
        float rate = (float) (step.learningRate() / (1 - Math.pow(step.beta1(), (double) step.step())));
        float correction = (float) (1 / Math.sqrt(1 - Math.pow(step.beta2(), (double) step.step())));
        float epsilon = (float) step.epsilon();
        Loop loop = blocks -> {
            float[] gradient = blocks[0];
            float[] weights = blocks[1];
            float[] mean = blocks[2];
            float[] square = blocks[3];
            if (coupled != 0) { // 0 times a weight that is no number is none
                for (int i = 0; i < BLOCK; i++) gradient[i] += coupled * weights[i];
            }
            for (int i = 0; i < BLOCK; i++) mean[i] = beta1 * mean[i] + rest1 * gradient[i];
            for (int i = 0; i < BLOCK; i++) square[i] = beta2 * square[i] + rest2 * gradient[i] * gradient[i];
            for (int i = 0; i < BLOCK; i++) {
                // Not the root of a product, which may be more than a float holds.
                weights[i] = kept * weights[i] - rate * mean[i] / (correction * (float) Math.sqrt(square[i]) + epsilon);
            }
        };
        forEach(1, loop, g, w, m, v);
    }
}
