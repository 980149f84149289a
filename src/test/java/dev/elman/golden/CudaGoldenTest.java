package dev.elman.golden;

import dev.elman.contract.Required;
import dev.elman.cuda.CudaBackend;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** Every fixture on the GPU. */
@Tag("cuda")
class CudaGoldenTest {
    @TestFactory
    Stream<DynamicTest> fixtures() throws IOException {
        return GoldenTest.files().stream()
                .map(file -> GoldenTest.test("cuda", () -> Required.open("cuda", CudaBackend::open), file));
    }
}
