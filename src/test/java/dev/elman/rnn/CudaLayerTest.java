package dev.elman.rnn;

import dev.elman.cuda.CudaBackend;
import org.junit.jupiter.api.Tag;

@Tag("cuda")
class CudaLayerTest extends LayerContract {
    CudaLayerTest() {
        super("cuda", CudaBackend::open);
    }
}
