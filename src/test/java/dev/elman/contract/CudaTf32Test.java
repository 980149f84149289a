package dev.elman.contract;

import dev.elman.cuda.CudaBackend;
import dev.elman.verify.Check;
import org.junit.jupiter.api.Tag;

/** The CUDA backend with TF32 products keeps the contract of what is made of products, within the tolerance of TF32. */
@Tag("cuda")
class CudaTf32Test extends BackendContract {
    CudaTf32Test() {
        super("cuda", () -> CudaBackend.open(true));
    }

    @Override
    boolean asks(Check check) {
        return check.operation().matches("(dense|linear).*") || recurrenceOfProducts(check);
    }
}
