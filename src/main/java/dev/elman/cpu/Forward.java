package dev.elman.cpu;

import dev.elman.backend.Shape;
import java.util.Arrays;

/** Elman's recurrence (Elman 1990): h_after = activation(x_t Wx + (m * h_before) Wh + b). */
final class Forward {
    /** Rows of all steps that a task projects ahead. */
    private static final int PROJECTED_ROWS = 128;

    /** Rows of several steps that a share multiplies with Wx at a time, where those of one are too few. */
    private static final int ROWS_AHEAD = 32;

    private final Gemm gemm;
    private final Workers workers;
    private final Recurrence pass;
    private final Recurrence.Weights weights;

    /** [H], and zeros up to the end of any share; null for none. */
    private final float[] bias;

    private final CpuTensor h;
    private final Matrix inputs;
    private final Matrix states;
    private final Shares shares;

    /** Whether the products with Wx are made for all steps at once, where the states will stand. */
    private final boolean projected;

    /** Steps for which a share makes its products with Wx at a time: t from a multiple of it on. */
    private final int ahead;

    private final ShareStates own;

    /** Whether h_before of the first step is all zeros, and its product with Wh too. */
    private final boolean firstProductIsZero;

    /** m * h_before of every other step, [2,N,H]; null without dropout. */
    private final CpuTensor dropped;

    Forward(
            Gemm gemm,
            Workers workers,
            Workspace workspace,
            Recurrence pass,
            Recurrence.Weights weights,
            CpuTensor x,
            CpuTensor h) {
        this.gemm = gemm;
        this.workers = workers;
        this.pass = pass;
        this.weights = weights;
        this.h = h;
        this.inputs = pass.inputs(x);
        this.states = pass.states(h);
        this.shares = new Shares(gemm, workers, pass.sizes());
        int terms = pass.sizes().d() + pass.sizes().h();
        boolean inPlace = shares.inPlace(terms);
        this.projected = inPlace || pass.inputsApart() || gemm.fewestRows() > Shares.MOST_ROWS;
        boolean few = shares.columns() || shares.mostRows() < gemm.fewestRows();
        this.ahead = projected || !few ? 1 : Integer.highestOneBit(Math.max(1, ROWS_AHEAD / shares.mostRows()));
        this.own = inPlace
                ? ShareStates.inPlace(shares, h, pass.after(0))
                : ShareStates.own(shares, workspace, 2 * ahead, terms);
        this.bias = weights.b() == null
                ? null
                : Arrays.copyOf(weights.b().toFloats(), pass.sizes().h() + own.width());
        this.firstProductIsZero =
                gemm.sumOfMagnitudes(pass.firstStates(h)) == 0 && Float.isFinite(gemm.sumOfMagnitudes(weights.wh()));
        this.dropped = pass.dropout() == null
                ? null
                : workspace.of(
                        Workspace.DROPPED,
                        Shape.of(2, pass.sizes().n(), pass.sizes().h()));
    }

    void run() {
        if (projected) project();
        long inputRows = ahead == 1 ? pass.countedRows() : pass.rows();
        try (Shares.Factors input = projected ? null : shares.factors(weights.wx(), inputRows, own);
                Shares.Factors recurrent = pass.sizes().t() == 1 && firstProductIsZero
                        ? null
                        : shares.factors(weights.wh(), pass.countedRows(), own)) {
            shares.walk(
                    0,
                    pass.sizes().t(),
                    (i, step, scratch) -> prepare(i, step, input, scratch),
                    (i, step, scratch) -> advance(i, step, recurrent, scratch));
        }
    }

    /** What a step begins with: x_t Wx + b, and what Wh sees where that is not h itself. */
    private void prepare(int i, int step, Shares.Factors input, Scratch scratch) {
        Share share = shares.get(i);
        int t = pass.time(step);
        if (dropped != null) pass.dropout().apply(share, h, pass.before(t), dropped, pass.slot(t % 2), scratch);
        else if (step == 0 && !shares.columns()) own.copyIn(share, h, pass.before(t), own.row(i, pass.previous(t)));
        if (projected) own.copyIn(share, h, pass.after(t), own.row(i, t));
        else if (step == 0 || (pass.reverse() ? t + 1 : t) % ahead == 0) begin(i, t, input.of(i));
    }

    /** x_t Wx + b of all steps. */
    private void project() {
        int first = pass.after(0);
        int width = pass.sizes().h();
        Parts parts = Parts.ofAtMost(PROJECTED_ROWS, pass.rows());
        try (Gemm.Factor right = gemm.right(weights.wx(), false, pass.rows(), workers)) {
            workers.run(parts.count(), 2L * pass.rows() * width * pass.sizes().d(), (part, scratch) -> {
                int from = first + parts.from(part);
                int count = parts.size(part);
                if (bias != null) {
                    h.write(from * width, bias, width);
                    h.repeat(from * width, width, count);
                }
                right.multiply(inputs, parts.from(part), states, from, count, bias != null);
            });
        }
    }

    /** A share's x_t Wx + b, from step t on as many steps as are made at a time. */
    private void begin(int i, int t, Gemm.Factor input) {
        Share share = shares.get(i);
        int first = pass.reverse() ? t / ahead * ahead : t;
        int count =
                pass.reverse() ? t - first + 1 : Math.min(ahead, pass.sizes().t() - t);
        int row = own.row(i, first);
        int rows = shares.madeRows(i);
        if (bias != null) {
            own.memory().write(own.element(row), bias, share.firstColumn(), own.width());
            own.memory().repeat(own.element(row), own.width(), count * rows);
        }
        int n = pass.sizes().n();
        int from = pass.slot(first) + share.firstRow();
        if (rows == n) { // the steps' rows are side by side, here and there
            input.multiply(inputs, from, own.matrix(i), row, count * n, bias != null);
        } else if (ahead == 1 || share.rows() >= gemm.fewestRows()) { // step by step
            for (int k = 0; k < count; k++) {
                int made = own.rows(i, inputs, from + k * n);
                input.multiply(inputs, from + k * n, own.matrix(i), row + k * rows, made, bias != null);
            }
        } else { // one row of the batch after the other
            for (int j = 0; j < share.rows(); j++) {
                Matrix sums = own.matrix(i).every(rows, row + j);
                input.multiply(inputs.every(n, share.firstRow() + j), first, sums, 0, count, bias != null);
            }
        }
    }

    private void advance(int i, int step, Shares.Factors recurrent, Scratch scratch) {
        Share share = shares.get(i);
        int t = pass.time(step);
        int row = own.row(i, t);
        if (step > 0 || !firstProductIsZero) addRecurrent(i, t, row, recurrent.of(i));
        int begin = own.memory().index(own.element(row));
        Activated.apply(pass.activation(), own.memory().floats(), begin, share.rows() * own.width(), scratch);
        if (pass.mask() != null) keepMasked(share, t, row);
        own.copyOut(share, row, h, pass.after(t));
    }

    /** Adds (m * h_before) Wh. */
    private void addRecurrent(int i, int t, int row, Gemm.Factor recurrent) {
        Matrix seen = own.matrix(i);
        int from = own.row(i, pass.previous(t));
        if (dropped != null) {
            seen = dropped.matrix(2 * pass.sizes().n(), pass.sizes().h());
            from = pass.slot(t % 2) + shares.get(i).firstRow();
        } else if (shares.columns()) {
            seen = states;
            from = pass.before(t);
        }
        recurrent.multiply(seen, from, own.matrix(i), row, own.rows(i, seen, from), true);
    }

    /** Masked rows take over the state they had; what the products made of them, of padding even NaN, is lost. */
    private void keepMasked(Share share, int t, int row) {
        for (int n = 0; n < share.rows(); n++) {
            if (pass.live(t, share.firstRow() + n)) continue;
            h.copyTo(share.begin(pass.before(t), n), own.memory(), own.element(row + n), share.columns());
        }
    }
}
