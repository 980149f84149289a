package dev.elman.cuda;

import dev.elman.backend.Dropout;
import java.util.List;

/**
 * An Elman layer's passes: the recurrence by the plan that suits its sizes, and what sums over the steps as one product over
 * all of them.
 */
final class CudaSimpleRnn {
    private final Planner planner;
    private final Blas blas;
    private final ColumnSums sums;
    private final RecurrentDropout dropout;
    private final LiveRows live;

    CudaSimpleRnn(Planner planner, Blas blas, ColumnSums sums, RecurrentDropout dropout, LiveRows live) {
        this.planner = planner;
        this.blas = blas;
        this.sums = sums;
        this.dropout = dropout;
        this.live = live;
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
        // What is waited for now need not be waited for behind the recurrence.
        List<LiveRows.Piece> pieces = live.pieces(pass, work(pass, dx != 0));
        planner.choose(whole.sizes(), true, onState != null).backward(whole);
        long da = pass.after(pass.gradients(), 0);
        long seen = dropout.beforeAll(whole);
        if (pieces == null) products(pass, seen, da, dx, dwx, dwh);
        else products(pass, pieces, seen, da, dx, dwx, dwh);
        if (db != 0) sums.add(da, pass.rows(), pass.sizes().h(), db);
    }

    private static LiveRows.Work work(Recurrence pass, boolean dx) {
        int d = pass.sizes().d();
        int h = pass.sizes().h();
        int dOfX = dx ? d : 0;
        double operations = 2.0 * h * (d + h + dOfX);
        return new LiveRows.Work(operations, h + d + h + dOfX, dOfX, (long) h * (d + h), h, Math.max(d, h));
    }

    private void products(Recurrence pass, long seen, long da, long dx, long dwx, long dwh) {
        int d = pass.sizes().d();
        int h = pass.sizes().h();
        if (dx != 0) blas.multiplyTransposed(false, da, pass.wx(), dx, pass.rows(), d, h);
        blas.transposedMultiply(true, pass.x(), da, dwx, d, h, pass.rows());
        blas.transposedMultiply(true, seen, da, dwh, h, h, pass.rows());
    }

    /** The same of the live rows; the others have da = 0. */
    private void products(
            Recurrence pass, List<LiveRows.Piece> pieces, long seen, long da, long dx, long dwx, long dwh) {
        int d = pass.sizes().d();
        int h = pass.sizes().h();
        if (dx != 0) blas.clear(dx, pass.rows() * d);
        for (LiveRows.Piece piece : pieces) {
            live.gather(piece, da, piece.first(), h);
            live.gather(piece, pass.x(), piece.second(), d);
            blas.transposedMultiply(true, piece.second(), piece.first(), dwx, d, h, piece.rows());
            live.gather(piece, seen, piece.second(), h);
            blas.transposedMultiply(true, piece.second(), piece.first(), dwh, h, h, piece.rows());
            if (dx == 0) continue;
            blas.multiplyTransposed(false, piece.first(), pass.wx(), piece.second(), piece.rows(), d, h);
            live.scatter(piece, piece.second(), dx, d);
        }
    }
}
