package dev.elman.cuda;

import dev.elman.backend.Dropout;
import dev.elman.backend.Operands;
import dev.elman.cuda.Blas.Form;
import java.util.ArrayList;
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

    /**
     * A direction forward.
     *
     * @param onState what drops states of the recurrence; null for nothing
     */
    record Forward(Recurrence pass, Dropout onState) {}

    /**
     * A direction on the way back.
     *
     * @param onState as forward
     * @param dx address of [T,N,D], 0 where nobody asks
     * @param dwx address of the sums [D,H]
     * @param dwh address of the sums [H,H]
     * @param db address of the sums [H], 0 for none
     */
    record Backward(Recurrence pass, Dropout onState, long dx, long dwx, long dwh, long db) {}

    /** One or both directions of a layer. */
    void forward(List<Forward> directions) {
        Operands.Rnn sizes = directions.get(0).pass().sizes();
        if (sizes.t() == 0) return;
        List<Recurrence> passes = new ArrayList<>();
        for (Forward one : directions) passes.add(dropout.factored(passes.size(), one.pass(), one.onState()));
        planner.run(sizes, passes.size(), false, drops(passes), plan -> plan.forward(passes));
    }

    /**
     * The gradients of the states become da, and the initial state's gathers in its own slot. Then dx = da Wx^T, dWx += x^T
     * da, dWh += (m * h_before)^T da, db += the rows of da, each over all steps at once.
     */
    void backward(List<Backward> directions) {
        Operands.Rnn sizes = directions.get(0).pass().sizes();
        if (sizes.t() == 0) return;
        List<Recurrence> passes = new ArrayList<>();
        for (Backward one : directions) passes.add(dropout.factored(passes.size(), one.pass(), one.onState()));
        // What is waited for now need not be waited for behind the recurrence.
        boolean dx = directions.stream().anyMatch(one -> one.dx() != 0);
        List<LiveRows.Piece> pieces = live.pieces(passes.get(0), passes.size(), work(sizes, dx));
        for (int i = 0; i < passes.size(); i++) reserve(passes.get(i), pieces, directions.get(i));
        planner.run(sizes, passes.size(), true, drops(passes), plan -> plan.backward(passes));
        for (int i = 0; i < passes.size(); i++) products(passes.get(i), pieces, directions.get(i));
    }

    /** All memory that is asked for when the gradients are changed already. */
    private void reserve(Recurrence pass, List<LiveRows.Piece> pieces, Backward to) {
        int d = pass.sizes().d();
        int h = pass.sizes().h();
        blas.reserve(Form.NT, pass.sizes().n(), h, h); // of a step
        // All pieces have the first one's rows but the last, which has fewer.
        long rows = pieces == null
                ? pass.rows()
                : pieces.isEmpty() ? 0 : pieces.get(0).rows();
        if (to.dx() != 0) blas.reserve(Form.NT, rows, d, h);
        blas.reserve(Form.TN, d, h, rows);
        blas.reserve(Form.TN, h, h, rows);
        dropout.reserve(pass);
        if (to.db() != 0) sums.reserve(pass.rows(), h);
    }

    private static boolean drops(List<Recurrence> passes) {
        return passes.stream().anyMatch(pass -> pass.factors() != 0);
    }

    private static LiveRows.Work work(Operands.Rnn sizes, boolean dx) {
        int d = sizes.d();
        int h = sizes.h();
        int dOfX = dx ? d : 0;
        double operations = 2.0 * h * (d + h + dOfX);
        return new LiveRows.Work(operations, h + d + h + dOfX, dOfX, (long) h * (d + h), h, Math.max(d, h));
    }

    private void products(Recurrence pass, List<LiveRows.Piece> pieces, Backward to) {
        long da = pass.after(pass.gradients(), 0);
        long seen = dropout.beforeAll(pass);
        if (pieces == null) products(pass, seen, da, to);
        else products(pass, pieces, seen, da, to);
        if (to.db() != 0) sums.add(da, pass.rows(), pass.sizes().h(), to.db());
    }

    private void products(Recurrence pass, long seen, long da, Backward to) {
        int d = pass.sizes().d();
        int h = pass.sizes().h();
        if (to.dx() != 0) blas.multiply(Form.NT, false, da, pass.wx(), to.dx(), pass.rows(), d, h);
        blas.multiply(Form.TN, true, pass.x(), da, to.dwx(), d, h, pass.rows());
        blas.multiply(Form.TN, true, seen, da, to.dwh(), h, h, pass.rows());
    }

    /** The same of the live rows; the others have da = 0. */
    private void products(Recurrence pass, List<LiveRows.Piece> pieces, long seen, long da, Backward to) {
        int d = pass.sizes().d();
        int h = pass.sizes().h();
        if (to.dx() != 0) blas.context().fill(to.dx(), pass.rows() * d, 0);
        for (LiveRows.Piece piece : pieces) {
            live.gather(piece, da, piece.first(), h);
            live.gather(piece, pass.x(), piece.second(), d);
            blas.multiply(Form.TN, true, piece.second(), piece.first(), to.dwx(), d, h, piece.rows());
            live.gather(piece, seen, piece.second(), h);
            blas.multiply(Form.TN, true, piece.second(), piece.first(), to.dwh(), h, h, piece.rows());
            if (to.dx() == 0) continue;
            blas.multiply(Form.NT, false, piece.first(), pass.wx(), piece.second(), piece.rows(), d, h);
            live.scatter(piece, piece.second(), to.dx(), d);
        }
    }
}
