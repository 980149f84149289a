package dev.elman.contract;

import dev.elman.cuda.CudaBackend;
import org.junit.jupiter.api.Tag;

/** The CUDA backend with TF32 products keeps the contract within the tolerance of TF32. */
@Tag("cuda")
class CudaTf32Test extends BackendContract {
    CudaTf32Test() {
        super("cuda", () -> CudaBackend.open(true));
    }
}
