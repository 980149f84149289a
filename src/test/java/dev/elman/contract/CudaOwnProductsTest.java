package dev.elman.contract;

import dev.elman.cuda.CudaBackend;
import org.junit.jupiter.api.Tag;

/** The CUDA backend keeps the contract without cuBLAS too. */
@Tag("cuda")
class CudaOwnProductsTest extends BackendContract {
    private static final String PRODUCTS = "elman.cuda.gemm";

    CudaOwnProductsTest() {
        super("cuda", () -> {
            String before = System.getProperty(PRODUCTS);
            System.setProperty(PRODUCTS, "own");
            try {
                return CudaBackend.open();
            } finally {
                if (before == null) System.clearProperty(PRODUCTS);
                else System.setProperty(PRODUCTS, before);
            }
        });
    }
}
