package dev.elman.cuda;

import java.util.Locale;

/** The kernels that every network uses. Those that walk whole sequences are {@link SequenceKernel}s. */
enum Kernel implements KernelEntry {
    RNN_FORWARD_TANH("rnn", "ppppppll"),
    RNN_FORWARD_RELU("rnn", "ppppppll"),
    RNN_FORWARD_LINEAR("rnn", "ppppppll"),
    RNN_BACKWARD_TANH("rnn", "ppppppll"),
    RNN_BACKWARD_RELU("rnn", "ppppppll"),
    RNN_BACKWARD_LINEAR("rnn", "ppppppll"),
    RNN_KEEP("rnn", "ppplll"),
    RNN_KEEP_ADD("rnn", "ppplll"),
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

    private final String file;
    private final String parameters;

    Kernel(String file, String parameters) {
        this.file = file;
        this.parameters = parameters;
    }

    @Override
    public String entry() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String file() {
        return file;
    }

    @Override
    public String parameters() {
        return parameters;
    }
}
