package dev.elman.contract;

import dev.elman.cuda.CudaBackend;
import org.junit.jupiter.api.Tag;

/** The CUDA backend keeps the contract. */
@Tag("cuda")
class CudaBackendTest extends BackendContract {
    CudaBackendTest() {
        super("cuda", CudaBackend::open);
    }
}
