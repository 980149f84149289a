package dev.elman.cuda;

import dev.elman.backend.Dropout;
import dev.elman.backend.Operands;

/**
 * An Elman layer's passes: the recurrence by the plan that suits its sizes, and what sums over the steps as one product over
 * all of them.
 */
final class CudaSimpleRnn {
    private final Planner planner;
    private final Blas blas;
    private final ColumnSums sums;
    private final RecurrentDropout dropout;

    CudaSimpleRnn(Planner planner, Blas blas, ColumnSums sums, RecurrentDropout dropout) {
        this.planner = planner;
        this.blas = blas;
        this.sums = sums;
        this.dropout = dropout;
    }

    /** The dropout of the recurrence may be null. */
    void forward(Recurrence pass, Dropout onState) {
        if (pass.sizes().t() == 0) return;
        Recurrence whole = dropout.factored(pass, onState);
        planner.choose(whole.sizes(), false, onState != null).forward(whole);
    }

    /**
     * The gradients of the states become da, and the initial state's gathers in its own slot. Then dx = da Wx^T, dWx += x^T
     * da, dWh += (m * h_before)^T da, db += the rows of da, each over all steps at once. All are addresses; dx and db may be
     * 0, and the dropout of the recurrence null.
     */
    void backward(Recurrence pass, Dropout onState, long dx, long dwx, long dwh, long db) {
        if (pass.sizes().t() == 0) return;
        Recurrence whole = dropout.factored(pass, onState);
        planner.choose(whole.sizes(), true, onState != null).backward(whole);
        Operands.Rnn sizes = pass.sizes();
        long da = pass.after(pass.gradients(), 0);
        if (dx != 0) blas.multiplyTransposed(false, da, pass.wx(), dx, pass.rows(), sizes.d(), sizes.h());
        blas.transposedMultiply(true, pass.x(), da, dwx, sizes.d(), sizes.h(), pass.rows());
        blas.transposedMultiply(true, dropout.beforeAll(whole), da, dwh, sizes.h(), sizes.h(), pass.rows());
        if (db != 0) sums.add(da, pass.rows(), sizes.h(), db);
    }
}
