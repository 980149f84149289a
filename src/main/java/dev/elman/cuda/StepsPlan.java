package dev.elman.cuda;

import dev.elman.backend.Operands;
import dev.elman.cuda.Blas.Form;
import java.util.List;

/**
 * One product and one kernel a step, launched one by one: what all other plans are judged by, and what is left where none
 * of them can run. Forward, each step adds h_before Wh to its slot, where its projection stands, and then turns it into the
 * state in place. Backward, each step turns its slot of dh into da in place and adds da Wh^T to the slot before. Only h is
 * kept: the derivative is told by the state.
 *
 * <p>Recurrent dropout takes no launch a step. Forward, a step's kernel leaves m times its state for the next product. Back,
 * a product is not added but left for the next step's kernel, which applies m.
 */
final class StepsPlan implements RecurrencePlan {
    static final String NAME = "steps";

    /** A product and a kernel, launched from the host. */
    private static final double LAUNCHES_MICROS = 15;
    /** The same from a graph; for one row cuBLAS has kernels that start faster. */
    private static final double START_MICROS = 10;

    private static final double START_MICROS_ONE_ROW = 2.5;
    /** What cuBLAS reaches in the products of a step on an H200, beside that. */
    private static final double FLOPS_PER_MICRO = 46e6;

    private static final double FLOPS_PER_MICRO_TF32 = 280e6;
    /** Reading the weights for one row. */
    private static final double BYTES_PER_MICRO = 2.2e6;

    private final KernelModule kernels;
    private final Blas blas;
    private final InputProjection projection;
    private final Elementwise elementwise;
    private final TransposedWeights transposed;

    StepsPlan(
            KernelModule kernels,
            Blas blas,
            InputProjection projection,
            Elementwise elementwise,
            TransposedWeights transposed) {
        this.kernels = kernels;
        this.blas = blas;
        this.projection = projection;
        this.elementwise = elementwise;
        this.transposed = transposed;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String refusal(Operands.Rnn sizes, boolean backward, boolean dropout) {
        return null;
    }

    /** Two launches from the host, unless the device takes longer for what they start. */
    @Override
    public double expectedMicros(Operands.Rnn sizes, int directions, boolean backward, boolean dropout) {
        return directions * Math.max(LAUNCHES_MICROS, onDeviceMicros(sizes));
    }

    /** Two kernels that start one after the other, and what the product takes. */
    double onDeviceMicros(Operands.Rnn sizes) {
        double weights = (double) sizes.h() * sizes.h();
        if (sizes.n() == 1) return START_MICROS_ONE_ROW + 4 * weights / BYTES_PER_MICRO;
        boolean tf32 = blas != null && blas.tf32();
        return START_MICROS + 2 * sizes.n() * weights / (tf32 ? FLOPS_PER_MICRO_TF32 : FLOPS_PER_MICRO);
    }

    @Override
    public void forward(List<Recurrence> directions) {
        projection.fill(directions);
        for (Recurrence pass : directions) {
            Recurrence begun = beginForward(pass);
            for (int run = 0; run < pass.sizes().t(); run++) forward(begun, pass.step(run));
        }
    }

    /** Before the first step; returns what the steps are to be made with. */
    Recurrence beginForward(Recurrence pass) {
        if (pass.factors() != 0) {
            elementwise.keep(pass.factors(), pass.before(pass.states(), pass.step(0)), pass.beside(), oneStep(pass));
        }
        int hidden = pass.sizes().h();
        return transposed.pay(pass.rows(), hidden)
                ? pass.withTransposedWh(transposed.of(pass.wh(), hidden, hidden))
                : pass;
    }

    /** Step t alone; its slot holds its projection. */
    void forward(Recurrence pass, int t) {
        long n = pass.sizes().n();
        long hidden = pass.sizes().h();
        long before = pass.before(pass.states(), t);
        long after = pass.after(pass.states(), t);
        long seen = pass.factors() == 0 ? before : pass.beside();
        if (pass.transposedWh() == 0) blas.multiply(Form.NN, true, seen, pass.wh(), after, n, hidden, hidden);
        else blas.multiply(Form.NT, true, seen, pass.transposedWh(), after, n, hidden, hidden);
        Kernel kernel = switch (pass.activation()) {
            case TANH -> Kernel.RNN_FORWARD_TANH;
            case RELU -> Kernel.RNN_FORWARD_RELU;
            case LINEAR -> Kernel.RNN_FORWARD_LINEAR;
        };
        kernels.get(kernel)
                .pointer(pass.b())
                .pointer(before)
                .pointer(after)
                .pointer(pass.mask(t))
                .pointer(pass.factors())
                .pointer(pass.factors() == 0 ? 0 : pass.beside())
                .count(n)
                .count(hidden)
                .overQuads(n, hidden);
    }

    @Override
    public void backward(List<Recurrence> directions) {
        for (Recurrence pass : directions) {
            beginBackward(pass);
            for (int run = pass.sizes().t() - 1; run >= 0; run--) backward(pass, pass.step(run));
            endBackward(pass);
        }
    }

    /** Before the step that ran last. */
    void beginBackward(Recurrence pass) {
        if (pass.factors() == 0) return;
        // There is no product yet; -0 is what changes nothing when it is added, not even a -0.
        elementwise.fill(pass.beside(), (long) pass.sizes().n() * pass.sizes().h(), -0f);
    }

    /** After the step that ran first. */
    void endBackward(Recurrence pass) {
        if (pass.factors() == 0) return;
        elementwise.keepAdd(pass.factors(), pass.beside(), pass.before(pass.gradients(), pass.step(0)), oneStep(pass));
    }

    private static Operands.Sequence oneStep(Recurrence pass) {
        return new Operands.Sequence(1, pass.sizes().n(), pass.sizes().h());
    }

    /** Step t alone. */
    void backward(Recurrence pass, int t) {
        long n = pass.sizes().n();
        long hidden = pass.sizes().h();
        long before = pass.before(pass.gradients(), t);
        long after = pass.after(pass.gradients(), t);
        Kernel kernel = switch (pass.activation()) {
            case TANH -> Kernel.RNN_BACKWARD_TANH;
            case RELU -> Kernel.RNN_BACKWARD_RELU;
            case LINEAR -> Kernel.RNN_BACKWARD_LINEAR;
        };
        kernels.get(kernel)
                .pointer(pass.after(pass.states(), t))
                .pointer(after)
                .pointer(before)
                .pointer(pass.mask(t))
                .pointer(pass.factors())
                .pointer(pass.factors() == 0 ? 0 : pass.beside())
                .count(n)
                .count(hidden)
                .overQuads(n, hidden);
        boolean whole = pass.factors() == 0;
        blas.multiply(Form.NT, whole, after, pass.wh(), whole ? before : pass.beside(), n, hidden, hidden);
    }
}
