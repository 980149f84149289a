package dev.elman.contract;

import dev.elman.cuda.CudaBackend;
import dev.elman.verify.Check;
import org.junit.jupiter.api.Tag;

/** The CUDA backend keeps the contract without cuBLAS too, in all that takes matrix products. */
@Tag("cuda")
class CudaOwnProductsTest extends BackendContract {
    CudaOwnProductsTest() {
        super("cuda", () -> Configured.open("elman.cuda.gemm", "own", CudaBackend::open));
    }

    @Override
    boolean asks(Check check) {
        return check.operation().startsWith("dense") || recurrenceOfProducts(check);
    }
}
