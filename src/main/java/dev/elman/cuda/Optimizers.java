package dev.elman.cuda;

import dev.elman.backend.AdamStep;
import dev.elman.backend.Constraint;
import dev.elman.backend.Operands;
import dev.elman.backend.SgdStep;

/** Clipping and optimizer steps over one flat tensor; all arguments are addresses. */
final class Optimizers {
    private static final int THREADS = 256;
    private static final int MOST_BLOCKS = 1024;
    private static final int PER_BLOCK = 4096;

    private static final int TILE_COLUMNS = 32;
    private static final int TILE_ROWS = 8;

    private final KernelModule kernels;
    private final Workspace workspace;

    Optimizers(KernelModule kernels, Workspace workspace) {
        this.kernels = kernels;
        this.workspace = workspace;
    }

    void clipValue(long g, long size, double limit) {
        kernels.get(Kernel.CLIP_VALUE).pointer(g).real(limit).count(size).over(size);
    }

    /** Norm and factor stay on the device. Sums of squares form a tree in double whose shape depends on the size alone. */
    void clipGlobalNorm(long g, long size, double maxNorm, long norm) {
        long blocks = Math.min((size + PER_BLOCK - 1) / PER_BLOCK, MOST_BLOCKS);
        long partial = workspace.of(8 * (MOST_BLOCKS + 1));
        long factor = partial + 8 * MOST_BLOCKS;
        if (blocks > 0) {
            kernels.get(Kernel.SQUARES).pointer(g).count(size).pointer(partial).blocks(blocks, THREADS);
        }
        kernels.get(Kernel.NORM_FINISH)
                .pointer(partial)
                .count(blocks)
                .wide(maxNorm)
                .pointer(norm)
                .pointer(factor)
                .blocks(1, THREADS);
        kernels.get(Kernel.SCALE_BY).pointer(g).pointer(factor).count(size).over(size);
    }

    void penalize(long w, double l1, double l2, long g, long size) {
        kernels.get(Kernel.PENALIZE)
                .pointer(w)
                .real(l1)
                .real(2 * l2)
                .pointer(g)
                .count(size)
                .over(size);
    }

    void constrain(Constraint constraint, long w, Operands.Matrix sizes) {
        long size = (long) sizes.m() * sizes.c();
        if (size == 0) return;
        if (constraint.kind() == Constraint.Kind.NON_NEGATIVE) {
            kernels.get(Kernel.RECTIFY).pointer(w).count(size).over(size);
            return;
        }
        kernels.get(Kernel.SCALE_COLUMNS)
                .pointer(w)
                .count(sizes.m())
                .count(sizes.c())
                .integer(constraint.kind() == Constraint.Kind.UNIT_NORM ? 1 : 0)
                .real(constraint.limit())
                .launch((sizes.c() - 1) / TILE_COLUMNS + 1, 1, TILE_COLUMNS, TILE_ROWS);
    }

    void sgd(SgdStep step, long w, long g, long velocity, long size) {
        kernels.get(Kernel.SGD_STEP)
                .pointer(w)
                .pointer(g)
                .pointer(velocity)
                .real(step.learningRate())
                .real(step.momentum())
                .integer(step.nesterov() ? 1 : 0)
                .real(step.weightDecay())
                .count(size)
                .over(size);
    }

    /** What depends on the step alone is computed here in double and rounded once. */
    void adam(AdamStep step, long w, long g, long m, long v, long size) {
        kernels.get(Kernel.ADAM_STEP)
                .pointer(w)
                .pointer(g)
                .pointer(m)
                .pointer(v)
                .real(step.learningRate())
                .real(step.beta1())
                .real(1 - step.beta1())
                .real(step.beta2())
                .real(1 - step.beta2())
                .real(step.epsilon())
                .real(step.decoupled() ? 0 : step.weightDecay())
                .real(step.decoupled() ? 1 - step.learningRate() * step.weightDecay() : 1)
                .real(1 - Math.pow(step.beta1(), (double) step.step()))
                .real(1 / Math.sqrt(1 - Math.pow(step.beta2(), (double) step.step())))
                .count(size)
                .over(size);
    }
}
