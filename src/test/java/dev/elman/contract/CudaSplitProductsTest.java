package dev.elman.contract;

import dev.elman.cuda.CudaBackend;
import dev.elman.verify.Check;
import org.junit.jupiter.api.Tag;

/** The CUDA backend keeps the contract of float32 where every product is made of three in TF32, in all that takes products. */
@Tag("cuda")
class CudaSplitProductsTest extends BackendContract {
    CudaSplitProductsTest() {
        super("cuda", () -> Configured.open("elman.cuda.split", "all", CudaBackend::open));
    }

    @Override
    boolean asks(Check check) {
        return check.operation().matches("(dense|linear).*") || recurrenceOfProducts(check);
    }
}
