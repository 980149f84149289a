package dev.elman.cuda;

import dev.elman.backend.Operands;

/** Softmax and cross-entropy, one block a row; all arguments are addresses. */
final class Losses {
    private static final int MOST_BLOCKS = 1 << 16;
    private static final int THREADS = 256;

    private final KernelModule kernels;
    private final Workspace workspace;

    Losses(KernelModule kernels, Workspace workspace) {
        this.kernels = kernels;
        this.workspace = workspace;
    }

    void softmax(long x, long y, Operands.Logits sizes) {
        if (sizes.m() == 0) return;
        kernels.get(Kernel.SOFTMAX)
                .pointer(x)
                .pointer(y)
                .count(sizes.m())
                .count(sizes.k())
                .blocks(blocks(sizes), threads(sizes));
    }

    void crossEntropy(
            long logits,
            long labels,
            double smoothing,
            double scale,
            long metrics,
            long dLogits,
            Operands.Logits sizes) {
        long rowMetrics = workspace.of(8L * sizes.m());
        if (sizes.m() > 0) {
            kernels.get(Kernel.CROSS_ENTROPY)
                    .pointer(logits)
                    .pointer(labels)
                    .real(1 - smoothing)
                    .real(smoothing / sizes.k())
                    .real(scale)
                    .pointer(dLogits)
                    .pointer(rowMetrics)
                    .count(sizes.m())
                    .count(sizes.k())
                    .blocks(blocks(sizes), threads(sizes));
        }
        kernels.get(Kernel.CROSS_ENTROPY_SUM)
                .pointer(rowMetrics)
                .count(sizes.m())
                .real(scale)
                .pointer(metrics)
                .blocks(1, THREADS);
    }

    private static long blocks(Operands.Logits sizes) {
        return Math.min(sizes.m(), MOST_BLOCKS);
    }

    /** A power of two that leaves few threads idle; it fixes the shape of the sums, so it depends on the columns alone. */
    private static int threads(Operands.Logits sizes) {
        return sizes.k() <= 64 ? 32 : sizes.k() <= 1024 ? 128 : THREADS;
    }
}
