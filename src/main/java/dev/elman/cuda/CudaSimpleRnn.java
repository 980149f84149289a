package dev.elman.cuda;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;

/**
 * Elman's recurrence as cuBLAS products and one kernel a step. Forward, the input projections of all steps are one product,
 * written where the states will stand; each step adds h_before Wh to its slot and then turns it into the state in place.
 * Backward, each step turns its slot of dh into da in place and adds da Wh^T to the slot before; what sums over steps
 * is one product over all of them. Only h is kept: the derivative is told by the state.
 *
 * <p>All arguments are addresses; b, db, dx and mask may be 0.
 */
final class CudaSimpleRnn {
    private final KernelModule kernels;
    private final Blas blas;
    private final ColumnSums sums;
    private final boolean projectByStep;

    /**
     * An Elman layer's arithmetic.
     *
     * @param projectByStep whether the input projection is one product a step and not one for all. cuBLAS may sum in
     *     another order when there are more rows, so only this promises that a sequence run step by step gives the same bits
     */
    CudaSimpleRnn(KernelModule kernels, Blas blas, ColumnSums sums, boolean projectByStep) {
        this.kernels = kernels;
        this.blas = blas;
        this.sums = sums;
        this.projectByStep = projectByStep;
    }

    /** Where the steps of one pass lie in [T+1,N,H] buffers and in which order they run. */
    private record Walk(Operands.Rnn sizes, boolean reverse) {
        long stateBytes() {
            return 4L * sizes.n() * sizes.h();
        }

        int step(int run) {
            return reverse ? sizes.t() - 1 - run : run;
        }

        long before(long states, int t) {
            return states + (reverse ? t + 1 : t) * stateBytes();
        }

        long after(long states, int t) {
            return states + (reverse ? t : t + 1) * stateBytes();
        }

        long mask(long mask, int t) {
            return mask == 0 ? 0 : mask + 4L * t * sizes.n();
        }

        long rows() {
            return (long) sizes.t() * sizes.n();
        }
    }

    void forward(
            Operands.Rnn sizes,
            Activation activation,
            boolean reverse,
            long mask,
            long wx,
            long wh,
            long b,
            long x,
            long h) {
        if (sizes.t() == 0) return;
        Walk walk = new Walk(sizes, reverse);
        Kernel kernel = switch (activation) {
            case TANH -> Kernel.RNN_FORWARD_TANH;
            case RELU -> Kernel.RNN_FORWARD_RELU;
            case LINEAR -> Kernel.RNN_FORWARD_LINEAR;
        };
        int hidden = sizes.h();
        if (!projectByStep) blas.multiply(false, x, wx, walk.after(h, 0), walk.rows(), hidden, sizes.d());
        for (int run = 0; run < sizes.t(); run++) {
            int t = walk.step(run);
            long before = walk.before(h, t);
            long after = walk.after(h, t);
            if (projectByStep) {
                blas.multiply(false, x + 4L * t * sizes.n() * sizes.d(), wx, after, sizes.n(), hidden, sizes.d());
            }
            blas.multiply(true, before, wh, after, sizes.n(), hidden, hidden);
            kernels.get(kernel)
                    .pointer(b)
                    .pointer(before)
                    .pointer(after)
                    .pointer(walk.mask(mask, t))
                    .count(sizes.n())
                    .count(hidden)
                    .overQuads(sizes.n(), hidden);
        }
    }

    /** From the step that ran last to the one that ran first: dh_after becomes da, and da Wh^T is added to dh_before. */
    void backward(Operands.Rnn sizes, Activation activation, boolean reverse, long mask, long wh, long h, long dh) {
        Walk walk = new Walk(sizes, reverse);
        Kernel kernel = switch (activation) {
            case TANH -> Kernel.RNN_BACKWARD_TANH;
            case RELU -> Kernel.RNN_BACKWARD_RELU;
            case LINEAR -> Kernel.RNN_BACKWARD_LINEAR;
        };
        for (int run = sizes.t() - 1; run >= 0; run--) {
            int t = walk.step(run);
            long before = walk.before(dh, t);
            long after = walk.after(dh, t);
            kernels.get(kernel)
                    .pointer(walk.after(h, t))
                    .pointer(after)
                    .pointer(before)
                    .pointer(walk.mask(mask, t))
                    .count(sizes.n())
                    .count(sizes.h())
                    .overQuads(sizes.n(), sizes.h());
            blas.multiplyTransposed(true, after, wh, before, sizes.n(), sizes.h(), sizes.h());
        }
    }

    /** dx = da Wx^T, dWx += x^T da, dWh += h_before^T da, db += the rows of da: each over all steps at once. */
    void gradients(
            Operands.Rnn sizes,
            boolean reverse,
            long wx,
            long x,
            long h,
            long dh,
            long dx,
            long dwx,
            long dwh,
            long db) {
        Walk walk = new Walk(sizes, reverse);
        long da = walk.after(dh, 0);
        long before = walk.before(h, 0);
        if (dx != 0) blas.multiplyTransposed(false, da, wx, dx, walk.rows(), sizes.d(), sizes.h());
        blas.transposedMultiply(true, x, da, dwx, sizes.d(), sizes.h(), walk.rows());
        blas.transposedMultiply(true, before, da, dwh, sizes.h(), sizes.h(), walk.rows());
        if (db != 0) sums.add(da, walk.rows(), sizes.h(), db);
    }
}
