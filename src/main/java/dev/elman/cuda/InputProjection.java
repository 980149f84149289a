package dev.elman.cuda;

import dev.elman.backend.Operands;
import dev.elman.cuda.Blas.Form;
import java.util.List;

/** x_t Wx of all steps, written where the states will stand. */
final class InputProjection {
    private final Blas blas;
    private final LiveRows live;
    private final boolean byStep;
    private final TransposedWeights transposed;

    /**
     * The projections' arithmetic.
     *
     * @param byStep whether they are one product a step and not one for all. cuBLAS may sum in another order when there are
     *     more rows, so with it only this promises that a sequence run step by step gives the same bits
     */
    InputProjection(Blas blas, LiveRows live, boolean byStep, TransposedWeights transposed) {
        this.blas = blas;
        this.live = live;
        this.byStep = byStep;
        this.transposed = transposed;
    }

    /**
     * Overwrites the slots of all steps; what is masked may stay, for no state is made of it.
     *
     * @param directions of the same sizes and mask
     */
    void fill(List<Recurrence> directions) {
        if (byStep) {
            directions.forEach(this::fillByStep);
            return;
        }
        Recurrence any = directions.get(0);
        int d = any.sizes().d();
        int h = any.sizes().h();
        List<LiveRows.Piece> pieces =
                live.pieces(any, directions.size(), new LiveRows.Work(2.0 * d * h, d + h, 0, 0, d, h));
        for (Recurrence pass : directions) fillAtOnce(pass, pieces);
    }

    /** Without pieces of live rows, which may be null, all rows. */
    private void fillAtOnce(Recurrence pass, List<LiveRows.Piece> pieces) {
        int d = pass.sizes().d();
        int h = pass.sizes().h();
        long states = pass.after(pass.states(), 0);
        long transposedWx = transposed.pay(pass.rows(), d) ? transposed.of(pass.wx(), d, h) : 0;
        if (pieces == null) {
            multiply(pass, transposedWx, pass.x(), states, pass.rows());
            return;
        }
        for (LiveRows.Piece piece : pieces) {
            live.gather(piece, pass.x(), piece.first(), d);
            multiply(pass, transposedWx, piece.first(), piece.second(), piece.rows());
            live.scatter(piece, piece.second(), states, h);
        }
    }

    /** y = x Wx, with the address of Wx^T or 0. */
    private void multiply(Recurrence pass, long transposedWx, long x, long y, long rows) {
        int d = pass.sizes().d();
        int h = pass.sizes().h();
        if (transposedWx == 0) blas.multiply(Form.NN, false, x, pass.wx(), y, rows, h, d);
        else blas.multiply(Form.NT, false, x, transposedWx, y, rows, h, d);
    }

    private void fillByStep(Recurrence pass) {
        Operands.Rnn sizes = pass.sizes();
        for (int t = 0; t < sizes.t(); t++) {
            long x = pass.x() + 4L * t * sizes.n() * sizes.d();
            blas.multiply(Form.NN, false, x, pass.wx(), pass.after(pass.states(), t), sizes.n(), sizes.h(), sizes.d());
        }
    }
}
