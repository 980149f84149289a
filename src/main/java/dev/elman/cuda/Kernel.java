package dev.elman.cuda;

import java.util.Locale;
import java.util.Set;

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
    SEQUENCE_FORWARD_64_1("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_FORWARD_64_4("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_FORWARD_128_1("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_FORWARD_128_2("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_FORWARD_192_1("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_FORWARD_192_2("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_FUSED_64_1("sequence", "ppppp" + "pp" + "lllll" + "ii" + "pppppp"),
    SEQUENCE_FUSED_64_4("sequence", "ppppp" + "pp" + "lllll" + "ii" + "pppppp"),
    SEQUENCE_FUSED_128_1("sequence", "ppppp" + "pp" + "lllll" + "ii" + "pppppp"),
    SEQUENCE_FUSED_128_2("sequence", "ppppp" + "pp" + "lllll" + "ii" + "pppppp"),
    SEQUENCE_FUSED_192_1("sequence", "ppppp" + "pp" + "lllll" + "ii" + "pppppp"),
    SEQUENCE_FUSED_192_2("sequence", "ppppp" + "pp" + "lllll" + "ii" + "pppppp"),
    SEQUENCE_BACKWARD_64_1("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_BACKWARD_64_4("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_BACKWARD_128_1("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_BACKWARD_128_2("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_BACKWARD_192_1("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    SEQUENCE_BACKWARD_192_2("sequence", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_256_1("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_256_2("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_384_1("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_384_2("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_384_3("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_384_4("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_512_1("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_512_2("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_512_3("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_FORWARD_512_4("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_256_1("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_256_2("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_384_1("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_384_2("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_384_3("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_384_4("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_512_1("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_512_2("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_512_3("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    CLUSTER_BACKWARD_512_4("cluster", "ppppp" + "llll" + "ii" + "pppp"),
    GRID_FORWARD_256_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_FORWARD_256_4("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_FORWARD_512_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_FORWARD_512_4("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_FORWARD_768_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_FORWARD_768_4("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_FORWARD_1024_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_FORWARD_1024_4("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_FORWARD_2048_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_FORWARD_2048_2("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_256_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_256_4("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_512_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_512_4("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_768_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_768_4("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_1024_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_1024_4("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_2048_1("grid", "pppppp" + "llll" + "iii" + "pppp"),
    GRID_BACKWARD_2048_2("grid", "pppppp" + "llll" + "iii" + "pppp"),
    TENSOR_FORWARD_256_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_FORWARD_384_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_FORWARD_512_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_FORWARD_768_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_FORWARD_1024_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_FORWARD_2048_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_BACKWARD_256_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_BACKWARD_384_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_BACKWARD_512_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_BACKWARD_768_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_BACKWARD_1024_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_BACKWARD_2048_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_FORWARD_256_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_FORWARD_384_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_FORWARD_512_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_FORWARD_768_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_FORWARD_1024_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_FORWARD_2048_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_BACKWARD_256_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_BACKWARD_384_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_BACKWARD_512_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_BACKWARD_768_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_BACKWARD_1024_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_TF32_BACKWARD_2048_8("tensor", "ppppppp" + "llll" + "iii" + "pppp"),
    TENSOR_CLUSTER_FORWARD_256_8("tensor_pair", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_CLUSTER_BACKWARD_256_8("tensor_pair", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_CLUSTER_FORWARD_384_8("tensor_cluster", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_CLUSTER_FORWARD_512_8("tensor_cluster", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_CLUSTER_BACKWARD_384_8("tensor_cluster", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_CLUSTER_BACKWARD_512_8("tensor_cluster", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_FORWARD_64_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_FORWARD_128_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_BACKWARD_64_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_BACKWARD_128_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_TF32_FORWARD_64_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_TF32_FORWARD_128_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_TF32_FORWARD_192_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_TF32_BACKWARD_64_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_TF32_BACKWARD_128_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
    TENSOR_BLOCK_TF32_BACKWARD_192_8("tensor_block", "ppppp" + "llll" + "ii" + "pppp"),
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

    private static final Set<String> WALKS_SEQUENCES =
            Set.of("sequence", "cluster", "grid", "tensor", "tensor_block", "tensor_pair", "tensor_cluster");

    private final String file;
    private final String parameters;

    Kernel(String file, String parameters) {
        this.file = file;
        this.parameters = parameters;
    }

    String file() {
        return file;
    }

    /** Whether it walks a whole sequence: of these one network uses a few. */
    boolean compiledAtLaunch() {
        return WALKS_SEQUENCES.contains(file);
    }

    String entry() {
        return name().toLowerCase(Locale.ROOT);
    }

    String parameters() {
        return parameters;
    }
}
