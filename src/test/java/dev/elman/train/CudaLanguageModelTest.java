package dev.elman.train;

import dev.elman.cuda.CudaBackend;
import org.junit.jupiter.api.Tag;

@Tag("cuda")
class CudaLanguageModelTest extends LanguageModelContract {
    CudaLanguageModelTest() {
        super("cuda", CudaBackend::open);
    }
}
