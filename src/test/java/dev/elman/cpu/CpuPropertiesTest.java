package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is read from the system properties. */
class CpuPropertiesTest {
    @AfterEach
    void leftOut() {
        System.clearProperty("elman.cpu.threads");
        System.clearProperty("elman.cpu.gemm");
    }

    private static String opened() {
        try (Backend backend = CpuBackend.open()) {
            return backend.description();
        }
    }

    @Test
    void whatIsEmptyCountsAsLeftOut() {
        String without = opened();
        System.setProperty("elman.cpu.threads", "");
        System.setProperty("elman.cpu.gemm", "");
        assertEquals(without, opened());
    }

    @Test
    void areTakenByTheirValues() {
        System.setProperty("elman.cpu.threads", "3");
        System.setProperty("elman.cpu.gemm", "java");
        assertTrue(opened().contains("3 threads, plain Java GEMM"), opened());
    }

    @Test
    void aNativeThatIsThereIsNotToBeAdded() {
        OpenBlasRequired.by("what to do about a native that does not load");
        String remedy = BytedecoArtifact.remedy();
        assertTrue(remedy.contains("is there and does not load") && remedy.contains("cachedir"), remedy);
    }

    @ParameterizedTest
    @CsvSource({
        "threads, four, a number of threads",
        "threads, 0, a number of threads",
        "threads, -1, a number of threads",
        "gemm, mkl, 'openblas or java'"
    })
    void aValueThatNobodyKnowsIsRefused(String name, String value, String known) {
        System.setProperty("elman.cpu." + name, value);
        String message = assertThrows(IllegalArgumentException.class, CpuPropertiesTest::opened)
                .getMessage();
        String said = "elman.cpu." + name + " must be " + known;
        assertTrue(message.contains(said) && message.contains("but is \"" + value + "\""), message);
    }
}
