package dev.elman.cpu;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnPass;
import java.util.Arrays;
import java.util.List;

/**
 * Elman's recurrence (Elman 1990) and its back-propagation through time (Werbos 1990). The states are cut into shares. By
 * rows, where there are enough: a thread takes its rows through the whole sequence, and no step waits for another thread. By
 * columns, where there are few rows and much to do in each: the threads meet after every step.
 */
final class Recurrence {
    /** Rows of a share at most: a step's part of the states stays in the first-level cache. */
    private static final int MOST_ROWS = 32;

    /** Columns of a share, where the shares are columns, and from how many columns H on they may be. */
    private static final int SHARE_COLUMNS = 128;

    private static final int MANY_COLUMNS = 256;

    /** Arithmetic operations; for fewer a team is not worth its members' waking up. */
    private static final long WORTH_A_TEAM = 4_000_000;

    /** Elements of Wx: 4 MB. */
    private static final long LARGE_WEIGHTS = 1 << 20;

    /** Rows of all steps that a task projects ahead. */
    private static final int PROJECTED_ROWS = 128;

    /** Rows of steps whose part of the gradients is summed while they are in the cache. */
    private static final int ROWS_AT_ONCE = 1024;

    /** Elements of two pages of memory. */
    private static final int TWO_PAGES = 2048;

    /** Elements that a derivative works on at a time, in the first-level cache. */
    private static final int BLOCK = 4096;

    private final Gemm gemm;
    private final Workers workers;
    private final Workspace workspace;
    private final Operands.Rnn sizes;
    private final Activation activation;
    private final boolean reverse;
    private final CpuIntTensor mask;

    /** Null without; and then what Wh sees are the states themselves. */
    private final RecurrentDropout dropout;

    /** Whether the shares are columns. */
    private final boolean byColumns;

    private final Share[] shares;

    /**
     * Whether the products with Wx are made for all steps at once: where a share has so few rows that they would be slow, and
     * where Wx is so large that it should not lie ready beside Wh.
     */
    private final boolean inputsApart;

    Recurrence(
            Gemm gemm,
            Workers workers,
            Workspace workspace,
            Operands.Rnn sizes,
            SimpleRnnPass pass,
            CpuIntTensor mask) {
        this.gemm = gemm;
        this.workers = workers;
        this.workspace = workspace;
        this.sizes = sizes;
        this.activation = pass.activation();
        this.reverse = pass.reverse();
        this.mask = mask;
        this.dropout = pass.recurrentDropout() == null
                ? null
                : new RecurrentDropout(pass.recurrentDropout(), sizes.n(), sizes.h());
        this.byColumns = sizes.h() >= MANY_COLUMNS
                && sizes.n() < 2 * gemm.fewestRows()
                && (workers.threads() > 1 || !gemm.rowsAlone());
        this.shares = byColumns ? columnShares() : rowShares();
        this.inputsApart =
                sizes.n() == 0 || shares[0].rows() < gemm.fewestRows() || (long) sizes.d() * sizes.h() >= LARGE_WEIGHTS;
    }

    private Share[] columnShares() {
        Share[] parts = new Share[(sizes.h() + SHARE_COLUMNS - 1) / SHARE_COLUMNS];
        for (int i = 0; i < parts.length; i++) {
            int first = i * SHARE_COLUMNS;
            parts[i] = new Share(0, sizes.n(), first, Math.min(SHARE_COLUMNS, sizes.h() - first), sizes.h());
        }
        return parts;
    }

    private Share[] rowShares() {
        Parts rows = gemm.rowsAlone()
                ? Parts.forThreads(workers.threads(), MOST_ROWS, sizes.n())
                : Parts.ofAtMost(MOST_ROWS, sizes.n());
        Share[] parts = new Share[rows.count()];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = new Share(rows.from(i), rows.size(i), 0, sizes.h(), sizes.h());
        }
        return parts;
    }

    /** Parameters or their gradients; b may be null. */
    record Weights(CpuTensor wx, CpuTensor wh, CpuTensor b) {}

    /** What a task does for one share in step t. */
    private interface Work {
        void on(int share, int t, Scratch scratch);
    }

    /**
     * For {@code count} steps from number {@code begin} on, counted from the first that runs or, back, from the last:
     * {@code first} for all shares, then {@code second}. Where shares are columns, a share's second may use what the first of
     * all others left.
     */
    private void walk(boolean back, int begin, int count, Work first, Work second) {
        long operations = 2L * count * sizes.n() * sizes.h() * sizes.h();
        if (!byColumns) {
            workers.run(shares.length, operations, (share, scratch) -> {
                for (int step = begin; step < begin + count; step++) {
                    first.on(share, time(step, back), scratch);
                    second.on(share, time(step, back), scratch);
                }
            });
            return;
        }
        int members = operations < WORTH_A_TEAM ? 1 : Math.min(workers.threads(), shares.length);
        workers.runTogether(members, (member, scratch, barrier) -> {
            for (int step = begin; step < begin + count; step++) {
                int t = time(step, back);
                for (int share = member; share < shares.length; share += members) first.on(share, t, scratch);
                barrier.await();
                for (int share = member; share < shares.length; share += members) second.on(share, t, scratch);
            }
        });
    }

    private int time(int step, boolean back) {
        return reverse == back ? step : sizes.t() - 1 - step;
    }

    /** A matrix [any, H] as the right factor of each share: its columns, or the same whole matrix for all. */
    private Factors factors(Matrix matrix) {
        if (!byColumns) return new Factors(List.of(gemm.right(matrix, workers)));
        Gemm.Factor[] parts = new Gemm.Factor[shares.length];
        workers.run(parts.length, (long) matrix.rows() * matrix.columns(), (i, scratch) -> {
            parts[i] = gemm.right(matrix.columns(shares[i].firstColumn(), shares[i].columns()));
        });
        return new Factors(List.of(parts));
    }

    private record Factors(List<Gemm.Factor> parts) implements AutoCloseable {
        Gemm.Factor of(int share) {
            return parts.get(parts.size() == 1 ? 0 : share);
        }

        @Override
        public void close() {
            for (Gemm.Factor part : parts) part.close();
        }
    }

    /** A matrix [slots * N, H] as each share's result: its columns. */
    private Matrix[] results(Matrix matrix) {
        return Arrays.stream(shares)
                .map(share -> matrix.columns(share.firstColumn(), share.columns()))
                .toArray(Matrix[]::new);
    }

    // ---- forward

    void forward(Weights weights, CpuTensor x, CpuTensor h) {
        Matrix wx = weights.wx().matrix(sizes.d(), sizes.h());
        float[] bias = weights.b() == null ? null : weights.b().toFloats();
        if (inputsApart) project(wx, bias, x, h);
        CpuTensor dropped = dropout == null ? null : workspace.of(Shape.of(2, sizes.n(), sizes.h()));
        Matrix inputs = inputs(x);
        boolean owned = !byColumns && !inputsApart && dropout == null;
        CpuTensor own = owned ? workspace.of(Shape.of(shares.length * 2 * ownRows(), sizes.h())) : h;
        Matrix ownStates = own.matrix(own.size() / Math.max(1, sizes.h()), sizes.h());
        Matrix seen = dropout == null ? ownStates : dropped.matrix(2 * sizes.n(), sizes.h());
        Matrix[] sums = results(ownStates);
        try (Factors input = inputsApart ? null : factors(wx);
                Factors recurrent = factors(weights.wh().matrix(sizes.h(), sizes.h()))) {
            Work prepare = (i, t, scratch) -> {
                if (dropout != null) drop(shares[i], h, before(t), dropped, t % 2, scratch);
                if (owned && t == time(0, false)) copy(shares[i], h, slot(before(t)), own, ownSlot(i, t + 1));
            };
            walk(false, 0, sizes.t(), prepare, (i, t, scratch) -> {
                Share share = shares[i];
                int first = share.firstRow();
                int after = owned ? ownSlot(i, t) : slot(after(t));
                if (!inputsApart) {
                    if (bias != null) begin(share, bias, own, after);
                    input.of(i).multiply(inputs, slot(t) + first, sums[i], after + first, share.rows(), bias != null);
                }
                int before = owned ? ownSlot(i, t + 1) : slot(dropout == null ? before(t) : t % 2);
                recurrent.of(i).multiply(seen, before + first, sums[i], after + first, share.rows(), true);
                activate(share, own, after, scratch);
                if (mask != null) keepMasked(share, h, t, own, after, scratch);
                if (owned) copy(share, own, after, h, slot(after(t)));
            });
        }
    }

    /**
     * Rows of a share's states in memory of its own, and two pages of nothing: shares lie side by side in each step of h, and a
     * processor that reads ahead there takes from another what that one is about to write. With cores that share no cache,
     * two threads were no faster than one.
     */
    private int ownRows() {
        return shares[0].rows() + 1 + TWO_PAGES / Math.max(1, sizes.h());
    }

    /** Where a share's own states of every other step begin, less the rows before the share's, as in a slot of h. */
    private int ownSlot(int share, int t) {
        return (2 * share + t % 2) * ownRows() - shares[share].firstRow();
    }

    private static void copy(Share share, CpuTensor from, int fromSlot, CpuTensor to, int toSlot) {
        from.copyTo(share.begin(fromSlot, 0), to, share.begin(toSlot, 0), share.size());
    }

    /** x_t Wx + b of all steps, where the states will stand. */
    private void project(Matrix wx, float[] bias, CpuTensor x, CpuTensor h) {
        int first = slot(after(0));
        int rows = sizes.t() * sizes.n();
        Parts parts = Parts.ofAtMost(PROJECTED_ROWS, rows);
        try (Gemm.Factor right = gemm.right(wx, workers)) {
            workers.run(parts.count(), 2L * rows * sizes.h() * sizes.d(), (part, scratch) -> {
                int from = parts.from(part);
                int count = parts.size(part);
                if (bias != null) begin(new Share(from, count, 0, sizes.h(), sizes.h()), bias, h, first);
                right.multiply(inputs(x), from, states(h), first + from, count, bias != null);
            });
        }
    }

    /** A step begins with the bias, and the products add to it. */
    private void begin(Share share, float[] bias, CpuTensor h, int slot) {
        int begin = share.begin(slot, 0);
        h.write(begin, bias, share.firstColumn(), share.columns());
        if (share.contiguous()) {
            for (int done = share.columns(); done < share.size(); done *= 2) {
                h.copyTo(begin, h, begin + done, Math.min(done, share.size() - done));
            }
            return;
        }
        for (int row = 1; row < share.rows(); row++) {
            h.write(share.begin(slot, row), bias, share.firstColumn(), share.columns());
        }
    }

    private void activate(Share share, CpuTensor h, int slot, Scratch scratch) {
        int pieces = share.contiguous() ? 1 : share.rows();
        for (int row = 0; row < pieces; row++) {
            int from = h.index(share.begin(slot, row));
            Activated.apply(activation, h.floats(), from, share.size() / pieces, scratch);
        }
    }

    /** Masked rows take over the state they had; what the products made of them, of padding even NaN, is lost. */
    private void keepMasked(Share share, CpuTensor h, int t, CpuTensor to, int slot, Scratch scratch) {
        float[] row = scratch.floats(0, share.columns());
        for (int n = 0; n < share.rows(); n++) {
            if (live(t, share.firstRow() + n)) continue;
            h.read(share.begin(slot(before(t)), n), row, share.columns());
            to.write(share.begin(slot, n), row, share.columns());
        }
    }

    /** m times a share of a slot of {@code from}, into a slot of {@code to}. */
    private void drop(Share share, CpuTensor from, int fromSlot, CpuTensor to, int toSlot, Scratch scratch) {
        float[] values = scratch.floats(0, share.columns());
        for (int row = 0; row < share.rows(); row++) {
            from.read(share.begin(slot(fromSlot), row), values, share.columns());
            dropout.apply(share.begin(0, row), values, share.columns());
            to.write(share.begin(slot(toSlot), row), values, share.columns());
        }
    }

    // ---- backward

    /** Leaves da in the slots of the steps. {@code dx} and {@code gradients.b()} may be null. */
    void backward(Weights weights, CpuTensor x, CpuTensor h, CpuTensor dh, CpuTensor dx, Weights gradients) {
        CpuTensor dropped = dropout == null ? null : workspace.of(Shape.of(sizes.t(), sizes.n(), sizes.h()));
        Matrix whTransposed = weights.wh().matrix(sizes.h(), sizes.h()).transpose();
        Matrix wxTransposed = weights.wx().matrix(sizes.d(), sizes.h()).transpose();
        Work derive = (share, t, scratch) -> derive(shares[share], h, dh, t, scratch);
        Matrix gradient = states(dh);
        Matrix terms = dropout == null ? gradient : dropped.matrix(sizes.t() * sizes.n(), sizes.h());
        Matrix[] sums = results(terms);
        try (Factors recurrent = factors(whTransposed);
                Gemm.Factor input = dx == null || inputsApart ? null : gemm.right(wxTransposed, workers)) {
            Work back = (i, t, scratch) -> {
                Share share = shares[i];
                int da = slot(after(t)) + share.firstRow();
                int before = slot(dropout == null ? before(t) : t) + share.firstRow();
                recurrent.of(i).multiply(gradient, da, sums[i], before, share.rows(), dropout == null);
                if (dropout == null) return;
                addDropped(share, dropped, t, dh, scratch);
                drop(share, h, before(t), dropped, t, scratch);
            };
            int stepsAtOnce = Math.max(1, ROWS_AT_ONCE / Math.max(1, sizes.n()));
            for (int step = 0; step < sizes.t(); step += stepsAtOnce) {
                int count = Math.min(stepsAtOnce, sizes.t() - step);
                walk(true, step, count, derive, back);
                Tiles tiles = new Tiles(gemm, workers);
                int first = Math.min(time(step, true), time(step + count - 1, true));
                int rows = count * sizes.n();
                Matrix da = gradient.rows(slot(after(first)), rows);
                Matrix seen =
                        dropout == null ? states(h).rows(slot(before(first)), rows) : terms.rows(slot(first), rows);
                sumGradients(tiles, inputs(x).rows(slot(first), rows), seen, da, gradients);
                if (input != null) tiles.multiply(da, input, inputs(dx).rows(slot(first), rows), false);
                tiles.run();
            }
        }
        if (dx == null || !inputsApart) return;
        Matrix da = gradient.rows(slot(after(0)), sizes.t() * sizes.n());
        try (Gemm.Factor input = gemm.right(wxTransposed, workers)) {
            new Tiles(gemm, workers).multiply(da, input, inputs(dx), false).run();
        }
    }

    /** dWx += x^T da, dWh += seen^T da, db += the sum of da's rows, over some steps. */
    private void sumGradients(Tiles tiles, Matrix x, Matrix seen, Matrix da, Weights gradients) {
        tiles.addTransposed(x, da, gradients.wx().matrix(sizes.d(), sizes.h()));
        tiles.addTransposed(seen, da, gradients.wh().matrix(sizes.h(), sizes.h()));
        if (gradients.b() != null) tiles.addRows(da, gradients.b().matrix(1, sizes.h()));
    }

    /** Adds m times a share of slot t of {@code terms} to the gradient of the state before step t. */
    private void addDropped(Share share, CpuTensor terms, int t, CpuTensor dh, Scratch scratch) {
        int width = share.columns();
        float[] values = scratch.floats(0, width);
        float[] sums = scratch.floats(1, width);
        for (int row = 0; row < share.rows(); row++) {
            terms.read(share.begin(slot(t), row), values, width);
            dropout.apply(share.begin(0, row), values, width);
            int before = share.begin(slot(before(t)), row);
            dh.read(before, sums, width);
            for (int i = 0; i < width; i++) sums[i] += values[i];
            dh.write(before, sums, width);
        }
    }

    /** da = g * activation'(h) at live steps; at masked ones g goes to the state before, and da = 0. */
    private void derive(Share share, CpuTensor h, CpuTensor dh, int t, Scratch scratch) {
        if (mask != null) passMasked(share, dh, t, scratch);
        int rowsAtOnce = share.contiguous() ? Math.max(1, BLOCK / Math.max(1, share.columns())) : 1;
        for (int row = 0; row < share.rows(); row += rowsAtOnce) {
            int begin = share.begin(slot(after(t)), row);
            int count = Math.min(rowsAtOnce, share.rows() - row) * share.columns();
            float[] g = scratch.floats(0, count);
            dh.read(begin, g, count);
            if (activation != Activation.LINEAR) {
                float[] state = scratch.floats(1, count);
                h.read(begin, state, count);
                Derivative.apply(activation, g, state, count);
            }
            dh.write(begin, g, count);
        }
    }

    /** Moves the rows of dh that are masked at step t to the gradient of the state before, and leaves 0. */
    private void passMasked(Share share, CpuTensor dh, int t, Scratch scratch) {
        int width = share.columns();
        float[] g = scratch.floats(0, width);
        float[] row = scratch.floats(1, width);
        for (int n = 0; n < share.rows(); n++) {
            if (live(t, share.firstRow() + n)) continue;
            int after = share.begin(slot(after(t)), n);
            int before = share.begin(slot(before(t)), n);
            dh.read(after, g, width);
            dh.read(before, row, width);
            for (int j = 0; j < width; j++) row[j] += g[j];
            dh.write(before, row, width);
            Arrays.fill(g, 0, width, 0);
            dh.write(after, g, width);
        }
    }

    // ---- where things lie

    private boolean live(int t, int n) {
        return mask.get(t * sizes.n() + n) != 0;
    }

    private int before(int t) {
        return reverse ? t + 1 : t;
    }

    private int after(int t) {
        return reverse ? t : t + 1;
    }

    /** The first row of a slot. */
    private int slot(int slot) {
        return slot * sizes.n();
    }

    private Matrix states(CpuTensor tensor) {
        return tensor.matrix((sizes.t() + 1) * sizes.n(), sizes.h());
    }

    private Matrix inputs(CpuTensor tensor) {
        return tensor.matrix(sizes.t() * sizes.n(), sizes.d());
    }
}
