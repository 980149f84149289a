package dev.elman.cuda;

import dev.elman.cuda.SequenceSize.Family;
import java.util.Locale;

/**
 * A kernel that walks whole sequences. There are many and they are large, and one network uses a few of them.
 *
 * @param hidden the most nodes
 * @param together rows that a group takes in a pass
 */
record SequenceKernel(Family family, Way way, int hidden, int together) implements KernelEntry {
    /** What a kernel makes of a sequence. */
    enum Way {
        /** The states, from the projections that stand in their place. */
        FORWARD,
        /** The states, from x itself. */
        FUSED,
        /** da, from the gradients of the states. */
        BACKWARD
    }

    @Override
    public String entry() {
        // The kernels of BLOCK are those of kernels/sequence.cu and called so.
        String prefix = family == Family.BLOCK ? "SEQUENCE" : family.name();
        return (prefix + "_" + way + "_" + hidden + "_" + together).toLowerCase(Locale.ROOT);
    }

    @Override
    public String file() {
        return switch (family) {
            case BLOCK -> "sequence";
            case CLUSTER -> "cluster";
            case GRID -> "grid";
            case TENSOR, TENSOR_TF32 -> "tensor";
            case TENSOR_BLOCK, TENSOR_BLOCK_TF32 -> "tensor_block";
            case TENSOR_CLUSTER_TF32 -> hidden == 256 ? "tensor_pair" : "tensor_cluster";
        };
    }

    @Override
    public String parameters() {
        if (way == Way.FUSED) return "ppppp" + "pp" + "lllll" + "ii" + "pppppp";
        return switch (family) {
            case GRID -> "pppppp" + "llll" + "iii" + "pppp";
            case TENSOR, TENSOR_TF32 -> "ppppppp" + "llll" + "iii" + "pppp";
            default -> "ppppp" + "llll" + "ii" + "pppp";
        };
    }

    @Override
    public boolean compiledAtLaunch() {
        return true;
    }

    @Override
    public boolean runsOn(Device device) {
        return family.missing(device) == null;
    }
}
