package dev.elman.cuda;

import dev.elman.backend.Operands;

/** What recurrent dropout changes in a pass; what it leaves of the states lies in workspace until the next call. */
final class RecurrentDropout {
    private final OverTime overTime;
    private final Workspace workspace;

    RecurrentDropout(CudaContext context, KernelModule kernels) {
        this.overTime = new OverTime(kernels);
        this.workspace = new Workspace(context);
    }

    /** What Wh sees of the states [N,H] before step t: where they stand, or m * h_before. */
    long before(Recurrence pass, int t) {
        return dropped(pass, pass.before(pass.states(), t), 1);
    }

    /** The same for all steps, [T,N,H], in the order of t. */
    long beforeAll(Recurrence pass) {
        return dropped(pass, pass.before(pass.states(), 0), pass.sizes().t());
    }

    private long dropped(Recurrence pass, long states, int steps) {
        if (pass.recurrentDropout() == null) return states;
        Operands.Sequence sizes = sizes(pass, steps);
        long kept = workspace.of(4L * steps * sizes.n() * sizes.c());
        overTime.dropout(pass.recurrentDropout(), states, kept, sizes);
        return kept;
    }

    /** Where da Wh^T [N,H] is to be written, not added, before {@link #addTo}. */
    long product(Recurrence pass) {
        return workspace.of(4L * pass.sizes().n() * pass.sizes().h());
    }

    /** Adds m times what stands at {@link #product} to the gradient of the state before step t. */
    void addTo(Recurrence pass, int t) {
        overTime.dropoutAdd(pass.recurrentDropout(), product(pass), pass.before(pass.gradients(), t), sizes(pass, 1));
    }

    private static Operands.Sequence sizes(Recurrence pass, int steps) {
        return new Operands.Sequence(steps, pass.sizes().n(), pass.sizes().h());
    }
}
