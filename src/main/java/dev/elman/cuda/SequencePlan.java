package dev.elman.cuda;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;
import dev.elman.cuda.SequenceKernel.Way;
import dev.elman.cuda.SequenceSize.Family;
import dev.elman.cuda.SequenceSize.Share;
import java.util.List;

/**
 * The whole recurrence in one launch: groups of rows that know nothing of each other, each walked through all steps with Wh
 * in registers. A group has one block of threads, a cluster of blocks, or blocks of a cooperative launch that hold a slice of
 * Wh each, and each of these with products on tensor cores too. A row's bits depend on nothing but its own numbers. The files in
 * kernels/ say more.
 */
final class SequencePlan implements RecurrencePlan {
    /** Features that a block's threads project themselves, as many as share a column in {@code kernels/sequence.cu}. */
    private static final int MOST_FUSED = 8;

    /** How many times longer it is expected to take where tensor cores are slow, but make three products for one. */
    private static final double WITHOUT_FAST_TENSOR_CORES = 3;

    private final Family family;
    private final Device device;
    private final List<SequenceSize> sizes;
    private final boolean tf32;

    private final KernelModule kernels;
    private final InputProjection projection;
    /** For blocks that exchange numbers through memory, else null. */
    private final Ring ring;
    /** For {@code tensor}, whose passes end with their rows, else null. */
    private final RowOrder order;

    /**
     * The plan of a family.
     *
     * @param tf32 whether products may round their operands so; a family that rounds them refuses everything if not
     * @param ring for a family that needs one
     * @param order for a family that needs one
     */
    SequencePlan(
            Family family,
            Device device,
            boolean tf32,
            KernelModule kernels,
            InputProjection projection,
            Ring ring,
            RowOrder order) {
        this.family = family;
        this.device = device;
        this.sizes = SequenceSize.ALL.stream()
                .filter(size -> size.family() == family)
                .toList();
        this.tf32 = tf32;
        this.kernels = kernels;
        this.projection = projection;
        this.ring = family.cooperates() ? ring : null;
        this.order = family.isTensor() ? order : null;
    }

    /** The smallest that holds this many nodes, null if none does. */
    private SequenceSize size(int hidden) {
        for (SequenceSize size : sizes) if (hidden <= size.hidden()) return size;
        return null;
    }

    @Override
    public String name() {
        return family.plan();
    }

    @Override
    public String refusal(Operands.Rnn pass, boolean backward, boolean dropout) {
        if (family.missing(device) != null) return family.missing(device);
        if (family.rounds() && !tf32) return "it multiplies in TF32, and products here are strict float32";
        if (pass.h() == 0) return "there are no nodes";
        SequenceSize size = size(pass.h());
        if (size == null) {
            return "it has registers for the weights of "
                    + sizes.get(sizes.size() - 1).hidden() + " nodes at most";
        }
        int groups = size.groups(device.multiprocessors());
        if (groups == 0)
            return "it needs " + size.blocks() + " multiprocessors, and here are " + device.multiprocessors();
        int most = size.mostRows(backward, dropout);
        if (family.cooperates() && pass.n() > (long) groups * most) {
            return "it has room for " + groups * most + " rows" + (dropout ? " with recurrent dropout" : "");
        }
        return null;
    }

    @Override
    public double expectedMicros(Operands.Rnn pass, int directions, boolean backward, boolean dropout) {
        boolean slow = family.onTensorCores() && !family.rounds() && !device.fastTensorCores();
        double times = slow ? WITHOUT_FAST_TENSOR_CORES : 1;
        Share together = atOnce(pass, directions, backward, dropout);
        if (together != null) return times * together.micros();
        return times * directions * share(pass, 1, backward, dropout).micros();
    }

    /** How rows are shared out where all directions are walked in one launch; null where one after the other is faster. */
    private Share atOnce(Operands.Rnn pass, int directions, boolean backward, boolean dropout) {
        Share together = share(pass, directions, backward, dropout);
        if (together == null || directions == 1) return together;
        double oneByOne = directions * share(pass, 1, backward, dropout).micros();
        return together.micros() <= oneByOne ? together : null;
    }

    private Share share(Operands.Rnn pass, int directions, boolean backward, boolean dropout) {
        return size(pass.h()).share(Math.max(pass.n(), 1), directions, device.multiprocessors(), backward, dropout);
    }

    @Override
    public void forward(List<Recurrence> directions) {
        boolean fused = family == Family.BLOCK && directions.get(0).sizes().d() <= MOST_FUSED;
        if (!fused) projection.fill(directions);
        walk(directions, fused ? Way.FUSED : Way.FORWARD);
    }

    @Override
    public void backward(List<Recurrence> directions) {
        walk(directions, Way.BACKWARD);
    }

    private void walk(List<Recurrence> directions, Way way) {
        Operands.Rnn sizes = directions.get(0).sizes();
        if (sizes.n() == 0) return;
        boolean dropout = directions.stream().anyMatch(pass -> pass.factors() != 0);
        boolean backward = way == Way.BACKWARD;
        Share together = atOnce(sizes, directions.size(), backward, dropout);
        if (together != null) {
            launch(directions, 1, way, together);
        } else {
            Share alone = share(sizes, 1, backward, dropout);
            for (Recurrence pass : directions) launch(List.of(pass), directions.size(), way, alone);
        }
    }

    /** @param oneByOne launches of the layer's pass, of which this is one */
    private void launch(List<Recurrence> directions, int oneByOne, Way way, Share share) {
        Recurrence pass = directions.get(0);
        int steps = pass.sizes().t();
        SequenceSize size = size(pass.sizes().h());
        // Before the launch is begun: there may be no memory for it.
        long floats = (long) directions.size() * share.groups() * share.passes() * share.together() * size.hidden();
        Ring.Slots slots = ring == null
                ? null
                : ring.empty(floats, size.mostExchanged(share, oneByOne, device.multiprocessors()), steps);
        long ranks = order == null || share.passes() == 1 ? 0 : order.ranks(pass);
        Launch launch = kernels.get(size.kernel(way, share.together()))
                .shared(size.sharedBytes(share.together()))
                .pointer(pass.wh())
                .pointer(way == Way.BACKWARD ? pass.states() : pass.b())
                .pointer(way == Way.BACKWARD ? pass.gradients() : pass.states())
                .pointer(pass.mask())
                .pointer(pass.factors());
        if (slots != null) launch.pointer(slots.address());
        if (order != null) launch.pointer(ranks);
        if (way == Way.FUSED) launch.pointer(pass.x()).pointer(pass.wx());
        launch.count(steps).count(pass.sizes().n()).count(pass.sizes().h()).count(share.rowsPerGroup());
        if (slots != null) launch.integer(slots.count());
        if (way == Way.FUSED) launch.count(pass.sizes().d());
        launch.integer(pass.reverse() ? 1 : 0).integer(number(pass.activation()));
        Recurrence other = directions.get(directions.size() - 1);
        launch.pointer(other.wh())
                .pointer(way == Way.BACKWARD ? other.states() : other.b())
                .pointer(way == Way.BACKWARD ? other.gradients() : other.states())
                .pointer(other.factors());
        if (way == Way.FUSED) launch.pointer(other.x()).pointer(other.wx());
        if (ring != null) launch.cooperating(size.blocks(), share.groups(), directions.size(), size.threads());
        else launch.blocks((long) size.blocks() * share.groups(), directions.size(), size.threads());
    }

    /** As the kernels count them. */
    private static int number(Activation activation) {
        return switch (activation) {
            case TANH -> 0;
            case RELU -> 1;
            case LINEAR -> 2;
        };
    }
}
