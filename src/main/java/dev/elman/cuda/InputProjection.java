package dev.elman.cuda;

import dev.elman.backend.Operands;

/** x_t Wx of all steps, written where the states will stand. */
final class InputProjection {
    private final Blas blas;
    private final boolean byStep;

    /**
     * The projections' arithmetic.
     *
     * @param byStep whether they are one product a step and not one for all. cuBLAS may sum in another order when there are
     *     more rows, so with it only this promises that a sequence run step by step gives the same bits
     */
    InputProjection(Blas blas, boolean byStep) {
        this.blas = blas;
        this.byStep = byStep;
    }

    /** Overwrites the slots of all steps. */
    void fill(Recurrence pass) {
        Operands.Rnn sizes = pass.sizes();
        if (!byStep) {
            blas.multiply(false, pass.x(), pass.wx(), pass.after(pass.states(), 0), pass.rows(), sizes.h(), sizes.d());
            return;
        }
        for (int t = 0; t < sizes.t(); t++) {
            long x = pass.x() + 4L * t * sizes.n() * sizes.d();
            blas.multiply(false, x, pass.wx(), pass.after(pass.states(), t), sizes.n(), sizes.h(), sizes.d());
        }
    }
}
