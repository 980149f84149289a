package dev.elman.cuda;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;
import java.util.List;

/**
 * The whole recurrence in one launch: groups of rows that know nothing of each other, each walked through all steps with Wh
 * in registers and the state in shared memory. A group has one block of threads, or a cluster of blocks that hold a slice of
 * Wh each. A row's bits depend on nothing but its own numbers. kernels/sequence.cu and kernels/cluster.cu say more.
 */
final class SequencePlan implements RecurrencePlan {
    private static final int MOST_ROWS = 8;
    /** An H200's multiprocessors and their clock, for the prediction. */
    private static final int TYPICAL_MULTIPROCESSORS = 132;

    private static final double CYCLES_PER_MICRO = 1750;
    private static final double MULTIPLY_ADDS_PER_CYCLE = 128;
    /** What the derivative saves against tanh. */
    private static final double CYCLES_LESS_BACKWARD = 60;
    /** Above this N H^2 the products of a step keep a GPU busy, and cuBLAS makes better use of it than a cluster. */
    private static final double MOST_WORK = 2.7e8;

    private final String name;
    private final List<Size> sizes;
    private final String missing;
    private final KernelModule kernels;
    private final InputProjection projection;
    private final int multiprocessors;

    private SequencePlan(
            String name,
            List<Size> sizes,
            String missing,
            KernelModule kernels,
            InputProjection projection,
            int multiprocessors) {
        this.name = name;
        this.sizes = sizes;
        this.missing = missing;
        this.kernels = kernels;
        this.projection = projection;
        this.multiprocessors = multiprocessors;
    }

    /** One block of threads a group, on any GPU. */
    static SequencePlan block(KernelModule kernels, InputProjection projection, int multiprocessors) {
        return new SequencePlan(
                "block", List.of(Size.H64, Size.H128, Size.H192), null, kernels, projection, multiprocessors);
    }

    /** A cluster of blocks a group. */
    static SequencePlan cluster(KernelModule kernels, InputProjection projection, int multiprocessors, int capability) {
        String missing = hasClusters(capability) ? null : "clusters of blocks need compute capability 9.0";
        return new SequencePlan(
                "cluster", List.of(Size.H256, Size.H512), missing, kernels, projection, multiprocessors);
    }

    /** Whether a device of this compute capability, 10 * major + minor, can run {@link #cluster}. */
    static boolean hasClusters(int capability) {
        return capability >= 90;
    }

    /** What H is padded to, with the kernels for it. */
    enum Size {
        H64(64, 256, 1, 2, 4),
        H128(128, 256, 1, 2, 2),
        H192(192, 384, 1, 1, 2),
        H256(256, 256, 4, 1, 4),
        H512(512, 256, 8, 1, 4);

        private final int hidden;
        private final int threads;
        /** Blocks of a group. */
        private final int blocks;
        /** Blocks that fit a multiprocessor's registers. */
        private final int resident;
        /** Rows that a group takes at once when it has several. */
        private final int together;

        private final Kernel forwardRow;
        private final Kernel forwardRows;
        private final Kernel backwardRow;
        private final Kernel backwardRows;

        Size(int hidden, int threads, int blocks, int resident, int together) {
            this.hidden = hidden;
            this.threads = threads;
            this.blocks = blocks;
            this.resident = resident;
            this.together = together;
            String family = blocks == 1 ? "SEQUENCE_" : "CLUSTER_";
            forwardRow = Kernel.valueOf(family + "FORWARD_" + hidden + "_ROW");
            forwardRows = Kernel.valueOf(family + "FORWARD_" + hidden + "_ROWS");
            backwardRow = Kernel.valueOf(family + "BACKWARD_" + hidden + "_ROW");
            backwardRows = Kernel.valueOf(family + "BACKWARD_" + hidden + "_ROWS");
        }

        Kernel kernel(boolean backward, boolean oneRow) {
            if (backward) return oneRow ? backwardRow : backwardRows;
            return oneRow ? forwardRow : forwardRows;
        }

        /** One row a group while all groups run at the same time, then as few as keep it so. The bits are the same. */
        int rowsPerGroup(int rows, int multiprocessors) {
            int groups = Math.max(1, multiprocessors * resident / blocks);
            if (rows <= groups) return 1;
            int each = (rows - 1) / groups + 1;
            return Math.min(MOST_ROWS, (each + together - 1) / together * together);
        }

        /** What a step takes but for its products: reads, shuffles, tanh, the barrier, which for a cluster is most of it. */
        double chain(boolean backward) {
            return (blocks == 1 ? 260 : 1045) - (backward ? CYCLES_LESS_BACKWARD : 0);
        }
    }

    /** The smallest that holds this many nodes, null if none does. */
    private Size size(int hidden) {
        for (Size size : sizes) if (hidden <= size.hidden) return size;
        return null;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String refusal(Operands.Rnn pass, boolean backward) {
        if (missing != null) return missing;
        if (size(pass.h()) != null) return null;
        return "it has registers for the weights of " + sizes.get(sizes.size() - 1).hidden + " nodes at most";
    }

    @Override
    public String drawback(Operands.Rnn pass, boolean backward) {
        if (size(pass.h()).blocks == 1 || (double) pass.n() * pass.h() * pass.h() <= MOST_WORK) return null;
        return "so large a batch keeps a GPU busy with the products of one step";
    }

    /** A chain of waits, and the products of the rows that share multiprocessors. */
    @Override
    public double predictedMicros(Operands.Rnn pass, boolean backward) {
        Size size = size(pass.h());
        int groups = TYPICAL_MULTIPROCESSORS / size.blocks;
        long rows = ((long) pass.n() + groups - 1) / groups;
        double products = (double) size.hidden * size.hidden / size.blocks / MULTIPLY_ADDS_PER_CYCLE;
        return (size.chain(backward) + rows * products) / CYCLES_PER_MICRO;
    }

    @Override
    public void forward(Recurrence pass) {
        projection.fill(pass);
        launch(pass, false, pass.b(), pass.states());
    }

    @Override
    public void backward(Recurrence pass) {
        launch(pass, true, pass.states(), pass.gradients());
    }

    private void launch(Recurrence pass, boolean backward, long read, long walked) {
        int rows = pass.sizes().n();
        if (rows == 0) return;
        Size size = size(pass.sizes().h());
        int perGroup = size.rowsPerGroup(rows, multiprocessors);
        kernels.get(size.kernel(backward, perGroup == 1))
                .pointer(pass.wh())
                .pointer(read)
                .pointer(walked)
                .pointer(pass.mask())
                .count(pass.sizes().t())
                .count(rows)
                .count(pass.sizes().h())
                .count(perGroup)
                .integer(pass.reverse() ? 1 : 0)
                .integer(number(pass.activation()))
                .blocks((long) size.blocks * ((rows - 1) / perGroup + 1), size.threads);
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
