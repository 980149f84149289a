package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.elman.Backends;
import dev.elman.backend.Backend;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DoctorTest {
    @Test
    void saysOkOrNoAndWhatToDo() {
        Outcome outcome = Outcome.of("doctor");
        assertEquals(0, outcome.code(), outcome.out());
        for (String line :
                outcome.out().lines().takeWhile(line -> !line.isEmpty()).toList()) {
            assertTrue(line.matches("(ok|no)  .+|  +-> .+"), line);
        }
    }

    @Test
    void aMissingLibraryComesWithItsRemedy() {
        Finding found = Diagnosis.products("cpu: float32, 2 threads, OpenBLAS by way of org.bytedeco:openblas:1");
        assertEquals(Finding.there("matrix products", "OpenBLAS by way of org.bytedeco:openblas:1"), found);
        Finding fallback = Diagnosis.products("cpu: float32, 2 threads, plain Java GEMM: no OpenBLAS native for"
                + " linux-arm64; add org.bytedeco:openblas:1:linux-arm64 (java.lang.UnsatisfiedLinkError)");
        assertFalse(fallback.ok());
        assertFalse(fallback.blocking());
        assertTrue(fallback.remedy().startsWith("add org.bytedeco:openblas:1:linux-arm64"), fallback.remedy());
    }

    @Test
    void aLibraryThatDoesNotLoadComesWithItsRemedy() {
        Finding fallback = Diagnosis.products(
                "cpu: float32, 2 threads, plain Java GEMM: OpenBLAS's native for linux-x86_64 is there and does not load; it"
                        + " is unpacked into a folder (java.lang.UnsatisfiedLinkError: a; b)");
        assertEquals(
                Finding.lacking(
                        "matrix products",
                        "plain Java, some times slower than a library: OpenBLAS's native for linux-x86_64 is there and does"
                                + " not load",
                        "it is unpacked into a folder (java.lang.UnsatisfiedLinkError: a; b)"),
                fallback);
    }

    @Test
    void plainJavaThatWasAskedForLacksNothing() {
        System.setProperty("elman.cpu.gemm", "java");
        try (Backend backend = Backends.openCpu(1)) {
            assertEquals(
                    Finding.there("matrix products", "plain Java GEMM: asked for by -Delman.cpu.gemm"),
                    Diagnosis.products(backend.description()));
        } finally {
            System.clearProperty("elman.cpu.gemm");
        }
    }

    @Test
    void theCpuBackendsLibraryIsNamed() {
        try (Backend backend = Backends.openCpu(1)) {
            Finding found = Diagnosis.products(backend.description());
            assertTrue(
                    found.detail().startsWith("OpenBLAS by way of ")
                            || found.detail().startsWith("plain Java"),
                    found.detail());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            no GPU (X is not set); check nvidia-smi. | no GPU (X is not set) | check nvidia-smi.
            no library (not open; X is not set); install it. | no library (not open; X is not set) | install it.
            refused; get the jar anew (line 9; fatal: (odd); or so) | refused | get the jar anew (line 9; fatal: (odd); or so)
            not at all | not at all | ''
            """)
    void aBrokenLinkEndsWithWhatToDo(String sentence, String detail, String remedy) {
        assertEquals(Finding.lacking("cuda: driver", detail, remedy), Diagnosis.broken("cuda: driver", sentence));
    }

    @Test
    void everyLinkToTheGpuIsNamed() {
        String text = Outcome.of("doctor").out();
        assertTrue(text.contains("cuda: binding to the driver's library"), text);
    }

    /** With it other commands end with 2, on a machine without a GPU, too. */
    @Test
    void aWrongPropertyOfCudaIsToBeMended() {
        System.setProperty("elman.cuda.plan", "foo");
        try {
            Outcome outcome = Outcome.of("doctor");
            assertEquals(1, outcome.code(), outcome.out());
            assertTrue(
                    outcome.out().matches("(?s).*\nno  backend cuda +CUDA cannot be used: elman.cuda.plan must be .*"),
                    outcome.out());
        } finally {
            System.clearProperty("elman.cuda.plan");
        }
    }

    @Test
    void jsonNamesEveryBackend() {
        JsonObject report = Outcome.of("doctor", "--json").json();
        assertTrue(report.get("ok").getAsBoolean());
        List<JsonObject> findings = StreamSupport.stream(
                        report.getAsJsonArray("findings").spliterator(), false)
                .map(element -> element.getAsJsonObject())
                .toList();
        List<String> names = findings.stream()
                .map(finding -> finding.get("name").getAsString())
                .toList();
        assertTrue(
                names.containsAll(
                        List.of("java", "backend cuda", "backend cpu", "backend reference", "names", "pictures")),
                names.toString());
        for (JsonObject finding : findings) {
            assertFalse(finding.get("detail").getAsString().isBlank(), finding.toString());
        }
    }
}
