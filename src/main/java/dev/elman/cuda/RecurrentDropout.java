package dev.elman.cuda;

import dev.elman.backend.Dropout;
import dev.elman.backend.Operands;
import java.util.List;

/**
 * Recurrent dropout as factors m [N,H] in memory, made once a pass: what decides them is no plan's business, and a captured
 * graph finds those of its call where it found the last ones.
 */
final class RecurrentDropout {
    private final Elementwise elementwise;
    private final OverTime overTime;
    /** Of each direction of a layer. */
    private final List<Workspace> factors;

    private final Workspace all;

    RecurrentDropout(CudaContext context, KernelModule kernels) {
        this.elementwise = new Elementwise(context, kernels);
        this.overTime = new OverTime(kernels);
        this.factors = List.of(new Workspace(context), new Workspace(context));
        this.all = new Workspace(context);
    }

    /**
     * The pass with its factors, which stay until the next call for this direction; the same pass where the dropout is null.
     *
     * @param direction 0 or 1
     */
    Recurrence factored(int direction, Recurrence pass, Dropout dropout) {
        if (dropout == null) return pass;
        long size = (long) pass.sizes().n() * pass.sizes().h();
        long address = factors.get(direction).of(2 * 4 * size);
        elementwise.fill(address, size, 1);
        overTime.dropout(dropout, address, address, sizes(pass, 1));
        return pass.withFactors(address);
    }

    /** What Wh sees of the states before all steps [T,N,H], in the order of t: where they stand, or m times them. */
    long beforeAll(Recurrence pass) {
        long states = pass.before(pass.states(), 0);
        if (pass.factors() == 0) return states;
        Operands.Sequence sizes = sizes(pass, pass.sizes().t());
        long seen = memory(pass);
        elementwise.keep(pass.factors(), states, seen, sizes);
        return seen;
    }

    /** Takes the memory for them, as {@link Blas#reserve}. */
    void reserve(Recurrence pass) {
        if (pass.factors() != 0) memory(pass);
    }

    private long memory(Recurrence pass) {
        return all.of(4 * pass.rows() * pass.sizes().h());
    }

    private static Operands.Sequence sizes(Recurrence pass, int steps) {
        return new Operands.Sequence(steps, pass.sizes().n(), pass.sizes().h());
    }
}
