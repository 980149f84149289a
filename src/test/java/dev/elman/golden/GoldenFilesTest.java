package dev.elman.golden;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.io.DType;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What ci/golden.py wrote, with a writer of its own: complete, readable, and byte for byte as ours would write it. */
class GoldenFilesTest {
    @Test
    void noneIsMissing() throws IOException {
        assertEquals(57, GoldenTest.files().size());
    }

    @ParameterizedTest
    @MethodSource("dev.elman.golden.GoldenTest#files")
    void saysWhoMadeItAndIsPlausible(Path file) throws IOException {
        SafeTensors golden = SafeTensors.read(file);
        assertEquals("ci/golden.py", golden.metadata().get("made_by"));
        assertTrue(golden.metadata().get("torch").startsWith("1.13."));
        assertFalse(golden.metadata().get("operation").isEmpty());
        golden.tensors().forEach((name, entry) -> {
            if (entry.dtype() == DType.F64) {
                assertTrue(Arrays.stream(entry.doubles()).allMatch(Double::isFinite), name);
            } else {
                assertEquals(DType.I32, entry.dtype(), name);
            }
            NdArray gradient = golden.tensors().get("d" + name);
            if (gradient != null) {
                assertArrayEquals(entry.shape(), gradient.shape(), name);
            }
        });
    }

    @ParameterizedTest
    @MethodSource("dev.elman.golden.GoldenTest#files")
    void ourWriterGivesTheSameBytes(Path file, @TempDir Path folder) throws IOException {
        Path copy = folder.resolve("copy");
        SafeTensors.read(file).write(copy);
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(copy));
    }
}
