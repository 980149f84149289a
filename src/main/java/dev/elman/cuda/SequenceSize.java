package dev.elman.cuda;

import static dev.elman.cuda.SequenceSize.Family.BLOCK;
import static dev.elman.cuda.SequenceSize.Family.CLUSTER;
import static dev.elman.cuda.SequenceSize.Family.GRID;
import static dev.elman.cuda.SequenceSize.Family.TENSOR;
import static dev.elman.cuda.SequenceSize.Family.TENSOR_BLOCK;
import static dev.elman.cuda.SequenceSize.Family.TENSOR_BLOCK_TF32;
import static dev.elman.cuda.SequenceSize.Family.TENSOR_CLUSTER_TF32;
import static dev.elman.cuda.SequenceSize.Family.TENSOR_TF32;

import dev.elman.cuda.SequenceKernel.Way;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A number of nodes that H is padded to, with the kernels that walk whole sequences of it: how many blocks of threads a group
 * of rows has, how many rows a group takes in a pass, and what that takes.
 *
 * <p>A step takes {@code start + passes * (pass + row * rows at once)} microseconds, fitted to the passes forward that an H200 was
 * measured to take, see {@code ci/measured}. Of other GPUs only the order of the plans is taken to be the same.
 *
 * @param family who makes up a group
 * @param hidden the most nodes
 * @param blocks of a group
 * @param threads of a block
 * @param resident blocks that a multiprocessor runs at the same time without slowing each other down
 * @param kernels the ways to take a group's rows
 * @param start microseconds of a step
 * @param pass microseconds of a pass
 * @param row microseconds of a row in a pass
 */
record SequenceSize(
        Family family,
        int hidden,
        int blocks,
        int threads,
        int resident,
        List<Rows> kernels,
        double start,
        double pass,
        double row) {
    /** All sizes, the smaller ones of a family first. */
    static final List<SequenceSize> ALL = List.of(
            new SequenceSize(BLOCK, 64, 1, 256, 1, rows(1, 1, 4, 2), 0.05, 0.17, 0.06),
            new SequenceSize(BLOCK, 128, 1, 256, 2, rows(1, 1, 2, 4), 0.00, 0.01, 0.335),
            new SequenceSize(BLOCK, 192, 1, 384, 1, rows(1, 1, 2, 4), 0.00, 0.25, 0.20),
            new SequenceSize(CLUSTER, 256, 2, 256, 1, rows(1, 1, 2, 8), 0.05, 0.22, 0.195),
            new SequenceSize(CLUSTER, 384, 4, 384, 1, rows(1, 1, 2, 7, 3, 5, 4, 3), 0.18, 0.23, 0.24),
            new SequenceSize(CLUSTER, 512, 8, 256, 1, rows(1, 1, 2, 5, 3, 3), 0.26, 0.00, 0.28),
            new SequenceSize(GRID, 256, 4, 256, 1, rows(1, 1, 4, 16), 0.00, 0.59, 0.18),
            new SequenceSize(GRID, 512, 8, 256, 1, rows(1, 1, 4, 16), 0.00, 0.60, 0.27),
            new SequenceSize(GRID, 768, 24, 256, 1, rows(1, 1, 4, 16), 0.00, 0.615, 0.235),
            new SequenceSize(GRID, 1024, 32, 256, 1, rows(1, 1, 4, 16), 0.00, 0.70, 0.275),
            new SequenceSize(GRID, 2048, 128, 256, 1, rows(1, 1, 2, 16), 0.00, 0.79, 0.36),
            tensor(TENSOR, 256, 4, 512, rows(8, 6, 16, 3), 0.00, 1.43, 2.75),
            tensor(TENSOR, 384, 8, 384, rows(8, 16, 16, 8), 0.00, 1.50, 2.44),
            new SequenceSize(TENSOR, 512, 8, 512, 1, rows(8, 6), 0.20, 1.94, 0.00),
            new SequenceSize(TENSOR, 768, 16, 384, 1, rows(8, 16), 0.20, 1.98, 0.00),
            new SequenceSize(TENSOR, 1024, 32, 512, 1, rows(8, 16), 0.30, 1.84, 0.00),
            tensor(TENSOR, 2048, 128, 512, rows(8, 16, 16, 8), 0.15, 2.75, 3.57),
            tensor(TENSOR_TF32, 256, 4, 512, rows(8, 6, 16, 3), 0.00, 1.14, 2.22),
            tensor(TENSOR_TF32, 384, 8, 384, rows(8, 16, 16, 8), 0.05, 1.10, 1.61),
            tensor(TENSOR_TF32, 512, 8, 512, forwardAlso(16, 3, rows(8, 6)), 0.05, 1.33, 2.27),
            new SequenceSize(TENSOR_TF32, 768, 16, 384, 1, rows(8, 16), 0.22, 1.02, 0.00),
            tensor(TENSOR_TF32, 1024, 32, 512, rows(8, 16, 16, 8), 0.24, 1.15, 1.82),
            tensor(TENSOR_TF32, 2048, 128, 512, rows(8, 16, 16, 8), 0.12, 1.80, 1.86),
            new SequenceSize(TENSOR_BLOCK, 64, 1, 128, 1, rows(8, 1), 0.00, 0.37, 0.00),
            new SequenceSize(TENSOR_BLOCK, 128, 1, 256, 1, rows(8, 1), 0.00, 0.73, 0.00),
            new SequenceSize(TENSOR_BLOCK_TF32, 64, 1, 128, 1, rows(8, 1), 0.00, 0.30, 0.00),
            new SequenceSize(TENSOR_BLOCK_TF32, 128, 1, 256, 1, rows(8, 1), 0.00, 0.52, 0.00),
            new SequenceSize(TENSOR_BLOCK_TF32, 192, 1, 384, 1, rows(8, 1), 0.00, 0.80, 0.00),
            new SequenceSize(TENSOR_CLUSTER_TF32, 256, 2, 256, 1, rows(8, 1), 0.00, 0.87, 0.013),
            new SequenceSize(TENSOR_CLUSTER_TF32, 384, 8, 256, 1, rows(8, 1), 0.00, 0.52, 0.085),
            new SequenceSize(TENSOR_CLUSTER_TF32, 512, 8, 256, 1, rows(8, 1), 0.00, 0.60, 0.105));

    private static final int WARP = 32;
    /** Rows that a tensor core takes at once. */
    private static final int TILE = 8;

    /** Where clusters of more than two blocks are put multiprocessors are left over: an H100 has room for 15 of 8, not 16. */
    private static final double ROOM_FOR_CLUSTERS = 0.91;

    /** Who makes up a group, and how it multiplies. */
    enum Family {
        /** One block of threads. */
        BLOCK("block"),
        /** A cluster of blocks. */
        CLUSTER("cluster"),
        /** Blocks of a cooperative launch. */
        GRID("grid"),
        /** The same with products on tensor cores, three of TF32 parts for one of float32. */
        TENSOR("tensor"),
        /** The same with operands rounded to TF32. */
        TENSOR_TF32("tensor"),
        /** One block of threads, with products on tensor cores, three of TF32 parts for one of float32. */
        TENSOR_BLOCK("tensor-block"),
        /** The same with operands rounded to TF32. */
        TENSOR_BLOCK_TF32("tensor-block"),
        /** A cluster of blocks, with products on tensor cores of operands rounded to TF32. */
        TENSOR_CLUSTER_TF32("tensor-cluster");

        private final String plan;

        Family(String plan) {
            this.plan = plan;
        }

        /** The name of its plan. */
        String plan() {
            return plan;
        }

        /** Why a device has none of it, or null if it has. */
        String missing(Device device) {
            if (clusters() && device.withoutClusters() != null) return device.withoutClusters();
            if (onTensorCores() && device.withoutTensorCores() != null) return device.withoutTensorCores();
            return cooperates() ? device.withoutGrids() : null;
        }

        /** Whether all groups must run at the same time. */
        boolean cooperates() {
            return this == GRID || isTensor();
        }

        /** Whether a group takes rows tile by tile, those of like lengths together. */
        boolean isTensor() {
            return this == TENSOR || this == TENSOR_TF32;
        }

        /** Whether a group is a cluster. */
        boolean clusters() {
            return this == CLUSTER || this == TENSOR_CLUSTER_TF32;
        }

        /** Whether tensor cores multiply, which take a tile of rows; the factors of dropout are then applied step by step. */
        boolean onTensorCores() {
            return this != BLOCK && this != CLUSTER && this != GRID;
        }

        /** Whether operands are rounded to TF32. */
        boolean rounds() {
            return this == TENSOR_TF32 || this == TENSOR_BLOCK_TF32 || this == TENSOR_CLUSTER_TF32;
        }
    }

    /**
     * The kernels of a number of rows in a pass.
     *
     * @param together so many rows
     * @param passes that a group has room for
     * @param back whether there is one for the way back, too
     */
    record Rows(int together, int passes, boolean back) {}

    /** One whose passes of eight and of sixteen rows take so many microseconds. */
    private static SequenceSize tensor(
            Family family,
            int hidden,
            int blocks,
            int threads,
            List<Rows> kernels,
            double start,
            double eight,
            double sixteen) {
        double row = (sixteen - eight) / 8;
        return new SequenceSize(family, hidden, blocks, threads, 1, kernels, start, eight - 8 * row, row);
    }

    private static List<Rows> rows(int... pairs) {
        Rows[] kernels = new Rows[pairs.length / 2];
        for (int i = 0; i < kernels.length; i++) kernels[i] = new Rows(pairs[2 * i], pairs[2 * i + 1], true);
        return List.of(kernels);
    }

    /** These kernels, and one that goes forward alone. */
    private static List<Rows> forwardAlso(int together, int passes, List<Rows> kernels) {
        return Stream.concat(kernels.stream(), Stream.of(new Rows(together, passes, false)))
                .toList();
    }

    /** Groups that run at the same time; 0 if not even one has room. */
    int groups(int multiprocessors) {
        if (multiprocessors * resident < blocks) return 0;
        double room = family.clusters() && blocks > 2 ? ROOM_FOR_CLUSTERS : 1;
        return Math.max((int) (room * multiprocessors * resident / blocks), 1);
    }

    /** Rows that a group has room for, forward or back, where the recurrence drops states or does not. */
    int mostRows(boolean backward, boolean dropout) {
        return kernels.stream()
                .filter(kernel -> takes(kernel, backward, dropout))
                .mapToInt(kernel -> kernel.together() * kernel.passes())
                .max()
                .orElseThrow();
    }

    /** A row's factors of dropout are multiplied into its group's weights, so the group has no other; tensor cores apply them. */
    private boolean takes(Rows kernel, boolean backward, boolean dropout) {
        if (backward && !kernel.back()) return false;
        return !dropout || kernel.together() == 1 || family.onTensorCores();
    }

    /**
     * How rows are shared out.
     *
     * @param together rows that a group takes in a pass, which chooses the kernel
     * @param rowsPerGroup the last group may have fewer
     * @param groups of each direction
     * @param micros what a step takes
     */
    record Share(int together, int rowsPerGroup, int groups, double micros) {
        int passes() {
            return (rowsPerGroup - 1) / together + 1;
        }
    }

    /**
     * The fastest way for this many rows, at least 1, of each of one or two directions of a layer, in one launch; the bits of a row
     * are the same in each. Null where they have no room at the same time and need it.
     *
     * @param backward whether gradients are walked, for which not each kernel is there
     * @param dropout whether the recurrence drops states
     */
    Share share(int rows, int directions, int multiprocessors, boolean backward, boolean dropout) {
        int atOnce = Math.max(groups(multiprocessors), 1);
        int each = Math.max(atOnce / directions, 1); // groups of a direction
        Share best = null;
        for (Rows kernel : kernels) {
            if (!takes(kernel, backward, dropout)) continue;
            int perGroup = Math.min((rows - 1) / each + 1, kernel.together() * kernel.passes());
            long rounds = rounds(rows, perGroup, directions, atOnce);
            if (family.cooperates() && rounds > 1) continue;
            // The last round is as long as the others: perhaps all are shorter where it is as full.
            int even = (int) Math.min((rows - 1) / (rounds * atOnce / directions) + 1, perGroup);
            for (int some : new int[] {perGroup, even}) {
                double micros = rounds(rows, some, directions, atOnce) * step(some, kernel.together());
                if (best != null && micros >= best.micros) continue;
                best = new Share(kernel.together(), some, (rows - 1) / some + 1, micros);
            }
        }
        return best;
    }

    /** How often all groups that run at the same time are walked. */
    private static long rounds(int rows, int perGroup, int directions, int atOnce) {
        return ((long) directions * ((rows - 1) / perGroup + 1) - 1) / atOnce + 1;
    }

    /** What a step takes over so many rows of a group. */
    private double step(int rows, int together) {
        int passes = (rows - 1) / together + 1;
        // A tile of a tensor core is as fast with fewer rows, but a cluster sends those that there are.
        int counted = family == TENSOR_CLUSTER_TF32 ? rows : together;
        return start + passes * (pass + row * counted);
    }

    /**
     * Floats in which all groups that run at the same time exchange the states of a step, so many that no smaller batch needs
     * more: where {@code oneByOne} directions are walked one after the other, one that has room for all of them at the same time has
     * fewer groups and so more passes.
     */
    long mostExchanged(Share share, int oneByOne, int multiprocessors) {
        int room = kernels.stream()
                .filter(kernel -> kernel.together() == share.together())
                .mapToInt(Rows::passes)
                .findFirst()
                .orElseThrow();
        long passes = Math.min(room, (long) oneByOne * share.passes());
        return groups(multiprocessors) * passes * share.together() * hidden;
    }

    /** Bytes of shared memory that a block is handed at the launch: for partial sums of more than one tile, see kernels/tensor.cu. */
    int sharedBytes(int together) {
        return together > TILE ? threads / WARP * (hidden / blocks) * together * Float.BYTES : 0;
    }

    SequenceKernel kernel(Way way, int together) {
        return new SequenceKernel(family, way, hidden, together);
    }

    /** Every kernel that there is. */
    Stream<SequenceKernel> everyKernel() {
        return kernels.stream().flatMap(rows -> ways(rows).map(way -> kernel(way, rows.together())));
    }

    private Stream<Way> ways(Rows rows) {
        return Arrays.stream(Way.values()).filter(way -> switch (way) {
            case FORWARD -> true;
            case FUSED -> family == BLOCK;
            case BACKWARD -> rows.back();
        });
    }
}
