package dev.elman.cuda;

import dev.elman.backend.Operands;
import java.util.List;

/** x_t Wx of all steps, written where the states will stand. */
final class InputProjection {
    private final Blas blas;
    private final LiveRows live;
    private final boolean byStep;

    /**
     * The projections' arithmetic.
     *
     * @param byStep whether they are one product a step and not one for all. cuBLAS may sum in another order when there are
     *     more rows, so with it only this promises that a sequence run step by step gives the same bits
     */
    InputProjection(Blas blas, LiveRows live, boolean byStep) {
        this.blas = blas;
        this.live = live;
        this.byStep = byStep;
    }

    /** Overwrites the slots of all steps; what is masked may stay, for no state is made of it. */
    void fill(Recurrence pass) {
        if (byStep) fillByStep(pass);
        else fillAtOnce(pass);
    }

    private void fillAtOnce(Recurrence pass) {
        int d = pass.sizes().d();
        int h = pass.sizes().h();
        long states = pass.after(pass.states(), 0);
        List<LiveRows.Piece> pieces = live.pieces(pass, new LiveRows.Work(2.0 * d * h, d + h, 0, 0, d, h));
        if (pieces == null) {
            blas.multiply(false, pass.x(), pass.wx(), states, pass.rows(), h, d);
            return;
        }
        for (LiveRows.Piece piece : pieces) {
            live.gather(piece, pass.x(), piece.first(), d);
            blas.multiply(false, piece.first(), pass.wx(), piece.second(), piece.rows(), h, d);
            live.scatter(piece, piece.second(), states, h);
        }
    }

    private void fillByStep(Recurrence pass) {
        Operands.Rnn sizes = pass.sizes();
        for (int t = 0; t < sizes.t(); t++) {
            long x = pass.x() + 4L * t * sizes.n() * sizes.d();
            blas.multiply(false, x, pass.wx(), pass.after(pass.states(), t), sizes.n(), sizes.h(), sizes.d());
        }
    }
}
