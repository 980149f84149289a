package dev.elman.cuda;

import dev.elman.cuda.SequenceSize.Family;
import java.util.Locale;

/**
 * Every kernel: its file, its entry and the types of its parameters, p for a pointer, l for 64 and i for 32 bits of
 * integer, f for float, d for double. A test compares this table with the PTX.
 */
enum Kernel {
    RNN_FORWARD_TANH("rnn", "ppppppll"),
    RNN_FORWARD_RELU("rnn", "ppppppll"),
    RNN_FORWARD_LINEAR("rnn", "ppppppll"),
    RNN_BACKWARD_TANH("rnn", "ppppppll"),
    RNN_BACKWARD_RELU("rnn", "ppppppll"),
    RNN_BACKWARD_LINEAR("rnn", "ppppppll"),
    RNN_KEEP("rnn", "ppplll"),
    RNN_KEEP_ADD("rnn", "ppplll"),
    SEQUENCE_FORWARD_64_1(Walk.SEQUENCE),
    SEQUENCE_FORWARD_64_4(Walk.SEQUENCE),
    SEQUENCE_FORWARD_128_1(Walk.SEQUENCE),
    SEQUENCE_FORWARD_128_2(Walk.SEQUENCE),
    SEQUENCE_FORWARD_192_1(Walk.SEQUENCE),
    SEQUENCE_FORWARD_192_2(Walk.SEQUENCE),
    SEQUENCE_FUSED_64_1(Walk.SEQUENCE_FUSED),
    SEQUENCE_FUSED_64_4(Walk.SEQUENCE_FUSED),
    SEQUENCE_FUSED_128_1(Walk.SEQUENCE_FUSED),
    SEQUENCE_FUSED_128_2(Walk.SEQUENCE_FUSED),
    SEQUENCE_FUSED_192_1(Walk.SEQUENCE_FUSED),
    SEQUENCE_FUSED_192_2(Walk.SEQUENCE_FUSED),
    SEQUENCE_BACKWARD_64_1(Walk.SEQUENCE),
    SEQUENCE_BACKWARD_64_4(Walk.SEQUENCE),
    SEQUENCE_BACKWARD_128_1(Walk.SEQUENCE),
    SEQUENCE_BACKWARD_128_2(Walk.SEQUENCE),
    SEQUENCE_BACKWARD_192_1(Walk.SEQUENCE),
    SEQUENCE_BACKWARD_192_2(Walk.SEQUENCE),
    CLUSTER_FORWARD_256_1(Walk.CLUSTER),
    CLUSTER_FORWARD_256_2(Walk.CLUSTER),
    CLUSTER_FORWARD_384_1(Walk.CLUSTER),
    CLUSTER_FORWARD_384_2(Walk.CLUSTER),
    CLUSTER_FORWARD_384_3(Walk.CLUSTER),
    CLUSTER_FORWARD_384_4(Walk.CLUSTER),
    CLUSTER_FORWARD_512_1(Walk.CLUSTER),
    CLUSTER_FORWARD_512_2(Walk.CLUSTER),
    CLUSTER_FORWARD_512_3(Walk.CLUSTER),
    CLUSTER_BACKWARD_256_1(Walk.CLUSTER),
    CLUSTER_BACKWARD_256_2(Walk.CLUSTER),
    CLUSTER_BACKWARD_384_1(Walk.CLUSTER),
    CLUSTER_BACKWARD_384_2(Walk.CLUSTER),
    CLUSTER_BACKWARD_384_3(Walk.CLUSTER),
    CLUSTER_BACKWARD_384_4(Walk.CLUSTER),
    CLUSTER_BACKWARD_512_1(Walk.CLUSTER),
    CLUSTER_BACKWARD_512_2(Walk.CLUSTER),
    CLUSTER_BACKWARD_512_3(Walk.CLUSTER),
    GRID_FORWARD_256_1(Walk.GRID),
    GRID_FORWARD_256_4(Walk.GRID),
    GRID_FORWARD_512_1(Walk.GRID),
    GRID_FORWARD_512_4(Walk.GRID),
    GRID_FORWARD_768_1(Walk.GRID),
    GRID_FORWARD_768_4(Walk.GRID),
    GRID_FORWARD_1024_1(Walk.GRID),
    GRID_FORWARD_1024_4(Walk.GRID),
    GRID_FORWARD_2048_1(Walk.GRID),
    GRID_FORWARD_2048_2(Walk.GRID),
    GRID_BACKWARD_256_1(Walk.GRID),
    GRID_BACKWARD_256_4(Walk.GRID),
    GRID_BACKWARD_512_1(Walk.GRID),
    GRID_BACKWARD_512_4(Walk.GRID),
    GRID_BACKWARD_768_1(Walk.GRID),
    GRID_BACKWARD_768_4(Walk.GRID),
    GRID_BACKWARD_1024_1(Walk.GRID),
    GRID_BACKWARD_1024_4(Walk.GRID),
    GRID_BACKWARD_2048_1(Walk.GRID),
    GRID_BACKWARD_2048_2(Walk.GRID),
    TENSOR_FORWARD_256_8(Walk.TENSOR),
    TENSOR_FORWARD_256_16(Walk.TENSOR),
    TENSOR_FORWARD_384_8(Walk.TENSOR),
    TENSOR_FORWARD_384_16(Walk.TENSOR),
    TENSOR_FORWARD_512_8(Walk.TENSOR),
    TENSOR_FORWARD_768_8(Walk.TENSOR),
    TENSOR_FORWARD_1024_8(Walk.TENSOR),
    TENSOR_FORWARD_2048_8(Walk.TENSOR),
    TENSOR_FORWARD_2048_16(Walk.TENSOR),
    TENSOR_BACKWARD_256_8(Walk.TENSOR),
    TENSOR_BACKWARD_256_16(Walk.TENSOR),
    TENSOR_BACKWARD_384_8(Walk.TENSOR),
    TENSOR_BACKWARD_384_16(Walk.TENSOR),
    TENSOR_BACKWARD_512_8(Walk.TENSOR),
    TENSOR_BACKWARD_768_8(Walk.TENSOR),
    TENSOR_BACKWARD_1024_8(Walk.TENSOR),
    TENSOR_BACKWARD_2048_8(Walk.TENSOR),
    TENSOR_BACKWARD_2048_16(Walk.TENSOR),
    TENSOR_TF32_FORWARD_256_8(Walk.TENSOR),
    TENSOR_TF32_FORWARD_256_16(Walk.TENSOR),
    TENSOR_TF32_FORWARD_384_8(Walk.TENSOR),
    TENSOR_TF32_FORWARD_384_16(Walk.TENSOR),
    TENSOR_TF32_FORWARD_512_8(Walk.TENSOR),
    TENSOR_TF32_FORWARD_512_16(Walk.TENSOR),
    TENSOR_TF32_FORWARD_768_8(Walk.TENSOR),
    TENSOR_TF32_FORWARD_1024_8(Walk.TENSOR),
    TENSOR_TF32_FORWARD_1024_16(Walk.TENSOR),
    TENSOR_TF32_FORWARD_2048_8(Walk.TENSOR),
    TENSOR_TF32_FORWARD_2048_16(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_256_8(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_256_16(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_384_8(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_384_16(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_512_8(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_768_8(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_1024_8(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_1024_16(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_2048_8(Walk.TENSOR),
    TENSOR_TF32_BACKWARD_2048_16(Walk.TENSOR),
    TENSOR_CLUSTER_TF32_FORWARD_256_8(Walk.TENSOR_PAIR),
    TENSOR_CLUSTER_TF32_FORWARD_384_8(Walk.TENSOR_CLUSTER),
    TENSOR_CLUSTER_TF32_FORWARD_512_8(Walk.TENSOR_CLUSTER),
    TENSOR_CLUSTER_TF32_BACKWARD_256_8(Walk.TENSOR_PAIR),
    TENSOR_CLUSTER_TF32_BACKWARD_384_8(Walk.TENSOR_CLUSTER),
    TENSOR_CLUSTER_TF32_BACKWARD_512_8(Walk.TENSOR_CLUSTER),
    TENSOR_BLOCK_FORWARD_64_8(Walk.TENSOR_BLOCK),
    TENSOR_BLOCK_FORWARD_128_8(Walk.TENSOR_BLOCK),
    TENSOR_BLOCK_BACKWARD_64_8(Walk.TENSOR_BLOCK),
    TENSOR_BLOCK_BACKWARD_128_8(Walk.TENSOR_BLOCK),
    TENSOR_BLOCK_TF32_FORWARD_64_8(Walk.TENSOR_BLOCK),
    TENSOR_BLOCK_TF32_FORWARD_128_8(Walk.TENSOR_BLOCK),
    TENSOR_BLOCK_TF32_FORWARD_192_8(Walk.TENSOR_BLOCK),
    TENSOR_BLOCK_TF32_BACKWARD_64_8(Walk.TENSOR_BLOCK),
    TENSOR_BLOCK_TF32_BACKWARD_128_8(Walk.TENSOR_BLOCK),
    TENSOR_BLOCK_TF32_BACKWARD_192_8(Walk.TENSOR_BLOCK),
    GEMM_NN_128("gemm", "plplpl" + "ii" + "lllll"),
    GEMM_NN_64("gemm", "plplpl" + "ii" + "lllll"),
    GEMM_NN_32("gemm", "plplpl" + "ii" + "lllll"),
    GEMM_NT_128("gemm", "plplpl" + "ii" + "lllll"),
    GEMM_NT_64("gemm", "plplpl" + "ii" + "lllll"),
    GEMM_NT_32("gemm", "plplpl" + "ii" + "lllll"),
    GEMM_TN_128("gemm", "plplpl" + "ii" + "lllll"),
    GEMM_TN_64("gemm", "plplpl" + "ii" + "lllll"),
    GEMM_TN_32("gemm", "plplpl" + "ii" + "lllll"),
    AXPY("elementwise", "fppl"),
    MULTIPLY("elementwise", "pppl"),
    ADD_BIAS("elementwise", "ppll"),
    MASK_ROWS("elementwise", "pppll"),
    COPY_COLUMNS("elementwise", "plplll"),
    SPLIT_COLUMNS("elementwise", "plppll"),
    SEEN_STEPS("elementwise", "pipll"),
    COLUMN_SUMS("elementwise", "plllpi"),
    TRANSPOSE("elementwise", "ppll"),
    LIVE_COUNTS("live", "plp"),
    LIVE_ROWS("live", "plpp"),
    SCATTER_ROWS("live", "pppll"),
    ROW_SPANS("live", "pllp"),
    ROW_RANKS("live", "plp"),
    EMBEDDING_FORWARD("embedding", "pppll"),
    EMBEDDING_KEYS("embedding", "plpl"),
    SORT_PASS("embedding", "plll"),
    SORT_TILE("embedding", "pll"),
    EMBEDDING_BACKWARD_CHUNKS("embedding", "pllplpp"),
    EMBEDDING_BACKWARD_JOINS("embedding", "plllpp"),
    POOL_MAX_FORWARD("layers", "pppplll"),
    POOL_MAX_BACKWARD("layers", "ppplll"),
    POOL_MEAN_FORWARD("layers", "ppplll"),
    POOL_MEAN_BACKWARD("layers", "ppplll"),
    DROPOUT("layers", "pplll" + "iiiiif"),
    SOFTMAX("loss", "ppll"),
    CROSS_ENTROPY("loss", "ppfffppll"),
    CROSS_ENTROPY_SUM("loss", "plfp"),
    CLIP_VALUE("optim", "pfl"),
    SQUARES("optim", "plp"),
    NORM_FINISH("optim", "pldpp"),
    SCALE_BY("optim", "ppl"),
    PENALIZE("rules", "pffpl"),
    SCALE_COLUMNS("rules", "pllif"),
    RECTIFY("rules", "pl"),
    SGD_STEP("optim", "pppffifl"),
    ADAM_STEP("optim", "pppp" + "ffffffffff" + "l");

    /** What kernels that walk whole sequences have in common. A family's other kernels, in TF32, are in the same file. */
    private enum Walk {
        SEQUENCE(Family.BLOCK, "sequence", "ppppp" + "llll" + "ii" + "pppp"),
        SEQUENCE_FUSED(Family.BLOCK, "sequence", "ppppp" + "pp" + "lllll" + "ii" + "pppppp"),
        CLUSTER(Family.CLUSTER, "cluster", "ppppp" + "llll" + "ii" + "pppp"),
        GRID(Family.GRID, "grid", "pppppp" + "llll" + "iii" + "pppp"),
        TENSOR(Family.TENSOR, "tensor", "ppppppp" + "llll" + "iii" + "pppp"),
        TENSOR_BLOCK(Family.TENSOR_BLOCK, "tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
        TENSOR_PAIR(Family.TENSOR_CLUSTER_TF32, "tensor_pair", "ppppp" + "llll" + "ii" + "pppp"),
        TENSOR_CLUSTER(Family.TENSOR_CLUSTER_TF32, "tensor_cluster", "ppppp" + "llll" + "ii" + "pppp");

        private final Family family;
        private final String file;
        private final String parameters;

        Walk(Family family, String file, String parameters) {
            this.family = family;
            this.file = file;
            this.parameters = parameters;
        }
    }

    private final String file;
    private final String parameters;
    /** Null for all others. */
    private final Walk walk;

    Kernel(String file, String parameters) {
        this.file = file;
        this.parameters = parameters;
        this.walk = null;
    }

    Kernel(Walk walk) {
        this.file = walk.file;
        this.parameters = walk.parameters;
        this.walk = walk;
    }

    String file() {
        return file;
    }

    /** Whether it walks a whole sequence: of these one network uses a few. */
    boolean compiledAtLaunch() {
        return walk != null;
    }

    /** Whether a device can run it. */
    boolean runsOn(Device device) {
        return walk == null || walk.family.missing(device) == null;
    }

    String entry() {
        return name().toLowerCase(Locale.ROOT);
    }

    String parameters() {
        return parameters;
    }
}
