package dev.elman.cpu;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnPass;
import java.util.Arrays;

/**
 * Elman's recurrence (Elman 1990) and its back-propagation through time (Werbos 1990). The batch is cut into parts; one
 * thread takes a part through the whole sequence, so that no step waits for another thread. A step asks for the same
 * products whatever the number of steps: a sequence run step by step gives the same bits.
 */
final class Recurrence {
    /** Rows of a part: few enough that threads have work, enough that a product is worth its copy of the weights. */
    private static final int PART_ROWS = 32;

    /** Elements that activation and derivative work on at a time, in the first-level cache. */
    private static final int BLOCK = 4096;

    private final Gemm gemm;
    private final Workers workers;
    private final Operands.Rnn sizes;
    private final Activation activation;
    private final boolean reverse;
    private final CpuIntTensor mask;

    /** Null without; and then what Wh sees are the states themselves. */
    private final RecurrentDropout dropout;

    private final Workspace workspace;
    private final Parts parts;

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
        this.parts = Parts.ofAtMost(PART_ROWS, sizes.n());
    }

    /** Parameters or their gradients; b may be null. */
    record Weights(CpuTensor wx, CpuTensor wh, CpuTensor b) {}

    // ---- forward

    void forward(Weights weights, CpuTensor x, CpuTensor h) {
        Gemm.Factor wx = gemm.right(weights.wx().matrix(sizes.d(), sizes.h()));
        Gemm.Factor wh = gemm.right(weights.wh().matrix(sizes.h(), sizes.h()));
        float[] bias = weights.b() == null ? null : repeated(weights.b().toFloats());
        CpuTensor dropped = dropout == null ? null : workspace.of(Shape.of(sizes.n(), sizes.h()));
        workers.run(parts.count(), productWork(), (part, scratch) -> {
            for (int step = 0; step < sizes.t(); step++) {
                int t = reverse ? sizes.t() - 1 - step : step;
                int before = stateRow(before(t), part);
                int after = stateRow(after(t), part);
                int rows = parts.size(part);
                Matrix sum = states(h).rows(after, rows);
                if (bias != null) h.write(after * sizes.h(), bias, rows * sizes.h());
                wx.multiply(inputs(x).rows(t * sizes.n() + parts.from(part), rows), sum, bias != null);
                wh.multiply(recurrentInput(h, before, dropped, part, scratch), sum, true);
                activate(h, after * sizes.h(), rows * sizes.h(), scratch);
                if (mask != null) keepMasked(h, t, part, scratch);
            }
        });
    }

    /** What Wh sees of a part's states before a step, which begin at row {@code before}. */
    private Matrix recurrentInput(CpuTensor h, int before, CpuTensor dropped, int part, Scratch scratch) {
        if (dropout == null) return states(h).rows(before, parts.size(part));
        drop(h, before, dropped, 0, part, scratch);
        return dropped.matrix(sizes.n(), sizes.h()).rows(parts.from(part), parts.size(part));
    }

    /** m times a part's rows of {@code from}, which begin at row {@code row}, into slot {@code slot} of {@code to}. */
    private void drop(CpuTensor from, int row, CpuTensor to, int slot, int part, Scratch scratch) {
        int count = parts.size(part) * sizes.h();
        float[] values = scratch.floats(0, count);
        from.read(row * sizes.h(), values, count);
        dropout.apply(parts.from(part), values, count);
        to.write(stateRow(slot, part) * sizes.h(), values, count);
    }

    /** The bias of as many rows as a part may have: a step begins with it, and the products add to it. */
    private float[] repeated(float[] bias) {
        float[] rows = new float[Math.min(sizes.n(), PART_ROWS) * bias.length];
        for (int i = 0; i < rows.length; i += bias.length) System.arraycopy(bias, 0, rows, i, bias.length);
        return rows;
    }

    private void activate(CpuTensor h, int begin, int size, Scratch scratch) {
        if (activation == Activation.LINEAR) return;
        float[] block = scratch.floats(0, BLOCK);
        for (int from = begin; from < begin + size; from += BLOCK) {
            int count = Math.min(BLOCK, begin + size - from);
            h.read(from, block, count);
            if (activation == Activation.TANH) Tanh.apply(block, count);
            else rectify(block, count);
            h.write(from, block, count);
        }
    }

    private static void rectify(float[] values, int count) {
        for (int i = 0; i < count; i++) values[i] = Math.max(values[i], 0);
    }

    /** Masked rows take over the state they had; what the products made of them, of padding even NaN, is lost. */
    private void keepMasked(CpuTensor h, int t, int part, Scratch scratch) {
        float[] row = scratch.floats(0, sizes.h());
        for (int n = parts.from(part); n < parts.from(part + 1); n++) {
            if (live(t, n)) continue;
            h.read((before(t) * sizes.n() + n) * sizes.h(), row, sizes.h());
            h.write((after(t) * sizes.n() + n) * sizes.h(), row, sizes.h());
        }
    }

    // ---- backward

    /** Leaves da in the slots of the steps. {@code dx} and {@code gradients.b()} may be null. */
    void backward(Weights weights, CpuTensor x, CpuTensor h, CpuTensor dh, CpuTensor dx, Weights gradients) {
        Gemm.Factor whTransposed =
                gemm.right(weights.wh().matrix(sizes.h(), sizes.h()).transpose());
        ColumnSums[] biasSums = new ColumnSums[parts.count()];
        CpuTensor dropped = dropout == null ? null : workspace.of(Shape.of(sizes.t(), sizes.n(), sizes.h()));
        workers.run(parts.count(), productWork(), (part, scratch) -> {
            biasSums[part] = new ColumnSums(sizes.h());
            for (int step = sizes.t() - 1; step >= 0; step--) {
                int t = reverse ? sizes.t() - 1 - step : step;
                int rows = parts.size(part);
                derive(h, dh, t, part, biasSums[part], scratch);
                Matrix da = states(dh).rows(stateRow(after(t), part), rows);
                if (dropout == null) {
                    whTransposed.multiply(da, states(dh).rows(stateRow(before(t), part), rows), true);
                    continue;
                }
                whTransposed.multiply(
                        da, dropped.matrix(sizes.t() * sizes.n(), sizes.h()).rows(stateRow(t, part), rows), false);
                addDropped(dropped, t, dh, part, scratch);
                drop(h, stateRow(before(t), part), dropped, t, part, scratch);
            }
        });
        if (gradients.b() != null) ColumnSums.addTo(gradients.b(), biasSums);
        Matrix recurrent = dropout == null
                ? states(h).rows(before(0) * sizes.n(), sizes.t() * sizes.n())
                : dropped.matrix(sizes.t() * sizes.n(), sizes.h());
        productsOverAllSteps(weights, x, recurrent, dh, dx, gradients);
    }

    /** Adds m times a part's rows of slot t of {@code terms} to the gradient of the state before step t. */
    private void addDropped(CpuTensor terms, int t, CpuTensor dh, int part, Scratch scratch) {
        int count = parts.size(part) * sizes.h();
        float[] values = scratch.floats(0, count);
        float[] sums = scratch.floats(1, count);
        int begin = stateRow(before(t), part) * sizes.h();
        terms.read(stateRow(t, part) * sizes.h(), values, count);
        dropout.apply(parts.from(part), values, count);
        dh.read(begin, sums, count);
        for (int i = 0; i < count; i++) sums[i] += values[i];
        dh.write(begin, sums, count);
    }

    /** da = g * activation'(h) at live steps; at masked ones g goes to the state before, and da = 0. */
    private void derive(CpuTensor h, CpuTensor dh, int t, int part, ColumnSums sums, Scratch scratch) {
        int rowsAtOnce = Math.max(1, BLOCK / Math.max(1, sizes.h()));
        float[] g = scratch.floats(0, rowsAtOnce * sizes.h());
        float[] state = scratch.floats(1, rowsAtOnce * sizes.h());
        for (int n = parts.from(part); n < parts.from(part + 1); n += rowsAtOnce) {
            int rows = Math.min(rowsAtOnce, parts.from(part + 1) - n);
            int count = rows * sizes.h();
            int begin = (after(t) * sizes.n() + n) * sizes.h();
            dh.read(begin, g, count);
            if (mask != null) passMasked(dh, g, t, n, rows, scratch);
            if (activation != Activation.LINEAR) h.read(begin, state, count);
            timesDerivative(g, state, count);
            sums.add(g, rows);
            dh.write(begin, g, count);
        }
    }

    private void timesDerivative(float[] g, float[] state, int count) {
        switch (activation) {
            case TANH -> {
                for (int i = 0; i < count; i++) g[i] = g[i] * (1 - state[i] * state[i]);
            }
            case RELU -> {
                for (int i = 0; i < count; i++) g[i] *= state[i] > 0 ? 1 : 0;
            }
            case LINEAR -> {}
        }
    }

    /** Adds the rows of g that are masked to the gradient of the state before, and makes them 0 here. */
    private void passMasked(CpuTensor dh, float[] g, int t, int firstRow, int rows, Scratch scratch) {
        int width = sizes.h();
        float[] row = scratch.floats(2, width);
        for (int i = 0; i < rows; i++) {
            if (live(t, firstRow + i)) continue;
            int before = (before(t) * sizes.n() + firstRow + i) * width;
            dh.read(before, row, width);
            for (int j = 0; j < width; j++) row[j] += g[i * width + j];
            dh.write(before, row, width);
            Arrays.fill(g, i * width, (i + 1) * width, 0);
        }
    }

    private void productsOverAllSteps(
            Weights weights, CpuTensor x, Matrix recurrent, CpuTensor dh, CpuTensor dx, Weights gradients) {
        Matrix da = states(dh).rows(after(0) * sizes.n(), sizes.t() * sizes.n());
        Matrix wx = weights.wx().matrix(sizes.d(), sizes.h());
        Tiles tiles = new Tiles(gemm);
        tiles.multiply(inputs(x).transpose(), da, gradients.wx().matrix(sizes.d(), sizes.h()), true);
        tiles.multiply(recurrent.transpose(), da, gradients.wh().matrix(sizes.h(), sizes.h()), true);
        if (dx != null) tiles.multiply(da, wx.transpose(), inputs(dx), false);
        tiles.run(workers);
    }

    // ---- where things lie

    private long productWork() {
        return 2L * sizes.t() * sizes.n() * sizes.h() * (sizes.d() + sizes.h());
    }

    private boolean live(int t, int n) {
        return mask.get(t * sizes.n() + n) != 0;
    }

    private int before(int t) {
        return reverse ? t + 1 : t;
    }

    private int after(int t) {
        return reverse ? t : t + 1;
    }

    /** The first row of a part in a slot of the states. */
    private int stateRow(int slot, int part) {
        return slot * sizes.n() + parts.from(part);
    }

    private Matrix states(CpuTensor tensor) {
        return tensor.matrix((sizes.t() + 1) * sizes.n(), sizes.h());
    }

    private Matrix inputs(CpuTensor tensor) {
        return tensor.matrix(sizes.t() * sizes.n(), sizes.d());
    }
}
