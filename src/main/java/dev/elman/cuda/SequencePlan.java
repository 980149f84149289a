package dev.elman.cuda;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;
import dev.elman.cuda.SequenceSize.Family;
import dev.elman.cuda.SequenceSize.Share;
import dev.elman.cuda.SequenceSize.Way;
import java.util.List;

/**
 * The whole recurrence in one launch: groups of rows that know nothing of each other, each walked through all steps with Wh
 * in registers. A group has one block of threads, a cluster of blocks, or blocks of a cooperative launch that hold a slice of
 * Wh each, and each of these with products on tensor cores too. A row's bits depend on nothing but its own numbers. The files in
 * kernels/ say more.
 */
final class SequencePlan implements RecurrencePlan {
    /** What {@code kernels/cluster.cu} is written in came with CUDA 12.1. */
    private static final int OLDEST_DRIVER_FOR_CLUSTERS = 12010;
    /** Features that a block's threads project themselves, as many as share a column in {@code kernels/sequence.cu}. */
    private static final int MOST_FUSED = 8;

    /**
     * Tensor cores of compute capabilities 8.6, 8.9 and 12.0 multiply in TF32 once to twice as fast as the other units in float32,
     * those of 8.0, 9.0 and 10.0 eight times and more, by NVIDIA's data sheets; in float32 they make three products for one.
     */
    private static final double WITHOUT_FAST_TENSOR_CORES = 3;

    private final String name;
    private final Family family;
    private final List<SequenceSize> sizes;
    /** Why this device has none of it, or null. */
    private final String missing;

    private final KernelModule kernels;
    private final InputProjection projection;
    private final int multiprocessors;
    /** For blocks that exchange numbers through memory, else null. */
    private final Ring ring;
    /** For blocks whose passes of rows end with them, else null. */
    private final RowOrder order;
    /** How many times longer than in the table it is expected to take here. */
    private final double slower;

    private SequencePlan(
            String name,
            Family family,
            String missing,
            KernelModule kernels,
            InputProjection projection,
            int multiprocessors,
            Ring ring,
            RowOrder order,
            double slower) {
        this.name = name;
        this.family = family;
        this.sizes = SequenceSize.ALL.stream()
                .filter(size -> size.family() == family)
                .toList();
        this.missing = missing;
        this.kernels = kernels;
        this.projection = projection;
        this.multiprocessors = multiprocessors;
        this.ring = ring;
        this.order = order;
        this.slower = slower;
    }

    /** One block of threads a group, on any GPU. */
    static SequencePlan block(KernelModule kernels, InputProjection projection, int multiprocessors) {
        return new SequencePlan("block", Family.SEQUENCE, null, kernels, projection, multiprocessors, null, null, 1);
    }

    /** A cluster of blocks a group; {@code missing} says why there are none here, see {@link #withoutClusters}. */
    static SequencePlan cluster(KernelModule kernels, InputProjection projection, int multiprocessors, String missing) {
        return new SequencePlan(
                "cluster", Family.CLUSTER, missing, kernels, projection, multiprocessors, null, null, 1);
    }

    /** Blocks of a cooperative launch, on a GPU that is large enough; {@code missing} says why there are no such launches. */
    static SequencePlan grid(
            KernelModule kernels, InputProjection projection, int multiprocessors, String missing, Ring ring) {
        return new SequencePlan("grid", Family.GRID, missing, kernels, projection, multiprocessors, ring, null, 1);
    }

    /**
     * As {@link #grid} on tensor cores, eight rows in a pass or sixteen, under a mask rows of like lengths: in TF32, or in float32
     * of three products in TF32.
     *
     * @param missing see {@link #withoutTensorCores}
     * @param capability 10 * major + minor of the device's compute capability
     */
    static SequencePlan tensor(
            KernelModule kernels,
            InputProjection projection,
            int multiprocessors,
            String missing,
            Ring ring,
            RowOrder order,
            boolean tf32,
            int capability) {
        Family family = tf32 ? Family.TENSOR_TF32 : Family.TENSOR;
        double slower = slower(tf32, capability);
        return new SequencePlan("tensor", family, missing, kernels, projection, multiprocessors, ring, order, slower);
    }

    private static double slower(boolean tf32, int capability) {
        boolean fast = capability == 80 || (capability >= 90 && capability < 120);
        return tf32 || fast ? 1 : WITHOUT_FAST_TENSOR_CORES;
    }

    /**
     * As {@link #block} on tensor cores, eight rows in a block: in TF32, or in float32 of three products in TF32.
     *
     * @param missing see {@link #withoutTensorCores}
     * @param capability 10 * major + minor of the device's compute capability
     */
    static SequencePlan tensorBlock(
            KernelModule kernels,
            InputProjection projection,
            int multiprocessors,
            String missing,
            boolean tf32,
            int capability) {
        Family family = tf32 ? Family.TENSOR_BLOCK_TF32 : Family.TENSOR_BLOCK;
        double slower = slower(tf32, capability);
        return new SequencePlan(
                "tensor-block", family, missing, kernels, projection, multiprocessors, null, null, slower);
    }

    /**
     * As {@link #cluster} on tensor cores in TF32, eight rows at most in a cluster, for more nodes than two blocks hold.
     *
     * @param missing see {@link #withoutClusters}
     * @param tf32 whether products may round their operands so; if not, the plan refuses everything
     */
    static SequencePlan tensorCluster(
            KernelModule kernels, InputProjection projection, int multiprocessors, String missing, boolean tf32) {
        String without =
                missing == null && !tf32 ? "it multiplies in TF32, and products here are strict float32" : missing;
        return new SequencePlan(
                "tensor-cluster", Family.TENSOR_CLUSTER, without, kernels, projection, multiprocessors, null, null, 1);
    }

    /**
     * Why {@link #cluster} cannot run, or null if it can.
     *
     * @param capability 10 * major + minor of the device's compute capability
     * @param driver 1000 * major + 10 * minor of the driver's CUDA
     */
    static String withoutClusters(int capability, int driver) {
        if (capability < 90) return "clusters of blocks need compute capability 9.0";
        if (driver < OLDEST_DRIVER_FOR_CLUSTERS) return "its kernels need a driver of CUDA 12.1";
        return null;
    }

    /**
     * Why the kernels of {@link #tensor} and {@link #tensorBlock} cannot be loaded, or null if they can.
     *
     * @param capability 10 * major + minor of the device's compute capability
     */
    static String withoutTensorCores(int capability) {
        return capability < 80 ? "tensor cores that take TF32 need compute capability 8.0" : null;
    }

    /** The smallest that holds this many nodes, null if none does. */
    private SequenceSize size(int hidden) {
        for (SequenceSize size : sizes) if (hidden <= size.hidden()) return size;
        return null;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String refusal(Operands.Rnn pass, boolean backward, boolean dropout) {
        if (missing != null) return missing;
        SequenceSize size = size(pass.h());
        if (size == null) {
            return "it has registers for the weights of "
                    + sizes.get(sizes.size() - 1).hidden() + " nodes at most";
        }
        int groups = size.groups(multiprocessors);
        if (groups == 0) return "it needs " + size.blocks() + " multiprocessors, and here are " + multiprocessors;
        int most = size.mostRows(backward, dropout);
        if (family.cooperates() && pass.n() > (long) groups * most) {
            return "it has room for " + groups * most + " rows" + (dropout ? " with recurrent dropout" : "");
        }
        return null;
    }

    @Override
    public double expectedMicros(Operands.Rnn pass, int directions, boolean backward, boolean dropout) {
        Share together = atOnce(pass, directions, backward, dropout);
        if (together != null) return slower * together.micros();
        return slower * directions * share(pass, 1, backward, dropout).micros();
    }

    /** How rows are shared out where all directions are walked in one launch; null where one after the other is faster. */
    private Share atOnce(Operands.Rnn pass, int directions, boolean backward, boolean dropout) {
        Share together = share(pass, directions, backward, dropout);
        if (together == null || directions == 1) return together;
        double oneByOne = directions * share(pass, 1, backward, dropout).micros();
        return together.micros() <= oneByOne ? together : null;
    }

    private Share share(Operands.Rnn pass, int directions, boolean backward, boolean dropout) {
        return size(pass.h()).share(Math.max(pass.n(), 1), directions, multiprocessors, backward, dropout);
    }

    @Override
    public void forward(List<Recurrence> directions) {
        boolean fused = family == Family.SEQUENCE && directions.get(0).sizes().d() <= MOST_FUSED;
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
        Ring.Slots slots =
                ring == null ? null : ring.empty(floats, size.mostExchanged(share, oneByOne, multiprocessors), steps);
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
