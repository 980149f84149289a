package dev.elman.cpu;

import dev.elman.backend.Activation;
import dev.elman.backend.Shape;
import java.util.Arrays;

/**
 * Back-propagation through time (Werbos 1990): da_t = g_t * activation'(h_after), with g_t the gradient of h_after, to which
 * the step after t adds m * (da Wh^T). Leaves da in the slots of the steps in dh.
 */
final class Backward {
    /** Rows of steps whose part of the gradients is summed while they are in the cache. */
    private static final int ROWS_AT_ONCE = 1024;

    /** Elements that a derivative works on at a time, in the first-level cache. */
    private static final int BLOCK = 4096;

    private final Gemm gemm;
    private final Workers workers;
    private final Recurrence pass;
    private final CpuTensor h;
    private final CpuTensor dh;
    private final Matrix das;
    private final Shares shares;

    /** Whether h_before of the first step is all zeros. */
    private final boolean firstStateIsZero;

    /** g of the step that is next on the way back. */
    private final ShareStates own;

    /** m * h_before of all steps, [T,N,H]; null without dropout. */
    private final CpuTensor dropped;

    Backward(Gemm gemm, Workers workers, Workspace workspace, Recurrence pass, CpuTensor h, CpuTensor dh) {
        this.gemm = gemm;
        this.workers = workers;
        this.pass = pass;
        this.h = h;
        this.dh = dh;
        this.das = pass.states(dh);
        this.shares = new Shares(gemm, workers, pass.sizes());
        this.firstStateIsZero = gemm.sumOfMagnitudes(pass.firstStates(h)) == 0;
        int width = pass.sizes().h();
        boolean inPlace = shares.inPlace(width) && pass.dropout() == null;
        this.own =
                inPlace ? ShareStates.inPlace(shares, dh, pass.after(0)) : ShareStates.own(shares, workspace, 1, width);
        this.dropped = pass.dropout() == null
                ? null
                : workspace.of(
                        Workspace.DROPPED,
                        Shape.of(pass.sizes().t(), pass.sizes().n(), width));
    }

    /** {@code dx} and {@code gradients.b()} may be null. */
    void run(Recurrence.Weights weights, CpuTensor x, CpuTensor dx, Recurrence.Weights gradients) {
        int steps = pass.sizes().t();
        int n = pass.sizes().n();
        Matrix wxTransposed = weights.wx().transpose();
        boolean apart = pass.inputsApart();
        try (Shares.Factors recurrent = shares.factors(weights.wh().transpose(), pass.countedRows(), own);
                Gemm.Factor input =
                        dx == null || apart ? null : gemm.rightInAnyOrder(wxTransposed, pass.rows(), workers)) {
            Shares.Work back = (i, step, scratch) -> passBack(i, time(step), recurrent.of(i), scratch);
            int stepsAtOnce = Math.max(1, ROWS_AT_ONCE / n);
            for (int step = 0; step < steps; step += stepsAtOnce) {
                int count = Math.min(stepsAtOnce, steps - step);
                shares.walk(step, count, this::derive, back);
                Tiles tiles = new Tiles(gemm, workers);
                int first = Math.min(time(step), time(step + count - 1));
                Matrix da = das.rows(pass.after(first), count * n);
                Matrix inputs = pass.inputs(x).rows(pass.slot(first), count * n);
                sumGradients(tiles, inputs, da, gradients);
                int seen = step + count == steps && firstAddsNothing() ? count - 1 : count;
                sumRecurrent(tiles, pass.reverse() ? first : first + count - seen, seen, gradients.wh());
                if (input != null) {
                    tiles.multiply(da, input, pass.inputs(dx).rows(pass.slot(first), count * n), false);
                }
                tiles.run(shares.count() == 1);
            }
        }
        for (int i = 0; i < shares.count(); i++) finish(i);
        if (dx == null || !apart) return;
        try (Gemm.Factor input = gemm.rightInAnyOrder(wxTransposed, pass.rows(), workers)) {
            Matrix da = das.rows(pass.after(0), pass.rows());
            new Tiles(gemm, workers).multiply(da, input, pass.inputs(dx), false).run();
        }
    }

    /** The step that is number {@code step} on the way back. */
    private int time(int step) {
        return pass.time(pass.sizes().t() - 1 - step);
    }

    /** Whether h_before^T da of the first step is all zeros. */
    private boolean firstAddsNothing() {
        Matrix da = das.rows(pass.after(pass.time(0)), pass.sizes().n());
        return firstStateIsZero && Float.isFinite(gemm.sumOfMagnitudes(da));
    }

    /** dWx += x^T da, db += the sum of da's rows, over some steps. */
    private void sumGradients(Tiles tiles, Matrix x, Matrix da, Recurrence.Weights gradients) {
        tiles.addTransposed(x, da, gradients.wx());
        if (gradients.b() != null)
            tiles.addRows(da, gradients.b().matrix(1, pass.sizes().h()));
    }

    /** dWh += (m * h_before)^T da over {@code count} steps from t on. */
    private void sumRecurrent(Tiles tiles, int t, int count, Matrix gradient) {
        if (count == 0) return;
        int rows = count * pass.sizes().n();
        Matrix seen = dropped == null
                ? pass.states(h).rows(pass.before(t), rows)
                : dropped.matrix(pass.rows(), pass.sizes().h()).rows(pass.slot(t), rows);
        tiles.addTransposed(seen, das.rows(pass.after(t), rows), gradient);
    }

    /** da of a share; what is masked goes to the gradient of the state before, and da = 0. */
    private void derive(int i, int step, Scratch scratch) {
        Share share = shares.get(i);
        int t = time(step);
        int ownRow = own.row(i, t);
        if (step == 0) own.copyIn(share, dh, pass.after(t), ownRow);
        int rowsAtOnce = share.contiguous() ? Math.max(1, BLOCK / share.columns()) : 1;
        for (int row = 0; row < share.rows(); row += rowsAtOnce) {
            int begin = share.begin(pass.after(t), row);
            int rows = Math.min(rowsAtOnce, share.rows() - row);
            int count = rows * share.columns();
            float[] g = scratch.floats(0, count);
            own.read(ownRow + row, rows, share.columns(), g);
            if (pass.mask() != null) handOnMasked(share, t, row, rows, g, scratch);
            if (pass.activation() != Activation.LINEAR) {
                float[] state = scratch.floats(1, count);
                h.read(begin, state, count);
                Derivative.apply(pass.activation(), g, state, count);
            }
            if (pass.mask() != null) clearMasked(share, t, row, rows, g);
            dh.write(begin, g, count);
        }
    }

    /** Adds the masked ones of some rows of g to the gradient of the state before. */
    private void handOnMasked(Share share, int t, int first, int rows, float[] g, Scratch scratch) {
        int width = share.columns();
        float[] sums = scratch.floats(1, width);
        for (int n = 0; n < rows; n++) {
            if (pass.live(t, share.firstRow() + first + n)) continue;
            int before = share.begin(pass.before(t), first + n);
            dh.read(before, sums, width);
            for (int j = 0; j < width; j++) sums[j] += g[n * width + j];
            dh.write(before, sums, width);
        }
    }

    /** Their da = 0. Last, for 0 times the derivative at a state that is no number is none. */
    private void clearMasked(Share share, int t, int first, int rows, float[] g) {
        int width = share.columns();
        for (int n = 0; n < rows; n++) {
            if (!pass.live(t, share.firstRow() + first + n)) Arrays.fill(g, n * width, (n + 1) * width, 0);
        }
    }

    /** g of the state before step t. */
    private void passBack(int i, int t, Gemm.Factor recurrent, Scratch scratch) {
        Share share = shares.get(i);
        int da = pass.after(t) + share.firstRow();
        int row = own.row(i, pass.previous(t));
        if (dropped == null) {
            own.copyIn(share, dh, pass.before(t), row);
            recurrent.multiply(das, da, own.matrix(i), row, own.rows(i, das, da), true);
        } else {
            recurrent.multiply(das, da, own.matrix(i), row, own.rows(i, das, da), false);
            addDropped(share, t, row, scratch);
            pass.dropout().apply(share, h, pass.before(t), dropped, pass.slot(t), scratch);
        }
    }

    /** m times the product, and the gradient it is added to. */
    private void addDropped(Share share, int t, int row, Scratch scratch) {
        int width = share.columns();
        float[] values = scratch.floats(0, width);
        float[] sums = scratch.floats(1, width);
        for (int n = 0; n < share.rows(); n++) {
            int before = share.begin(pass.before(t), n);
            own.read(row + n, 1, width, values);
            pass.dropout().apply(share.begin(0, n), values, width);
            dh.read(before, sums, width);
            for (int j = 0; j < width; j++) sums[j] += values[j];
            own.memory().write(own.element(row + n), sums, width);
        }
    }

    /** Leaves the gradient of the initial state. */
    private void finish(int i) {
        int t = pass.time(0);
        own.copyOut(shares.get(i), own.row(i, pass.previous(t)), dh, pass.before(t));
    }
}
