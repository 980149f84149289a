package dev.elman.cpu;

import dev.elman.contract.Required;

/** For tests of what there is with OpenBLAS only. */
final class OpenBlasRequired {
    private OpenBlasRequired() {}

    /** Skips {@code tests}, by name and with the reason, where it does not load, and fails where it is required. */
    static void by(String tests) {
        Gemm gemm = Gemms.open();
        Required.that(!(gemm instanceof JavaGemm), "openblas", tests, gemm.description());
    }
}
