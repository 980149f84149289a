package dev.elman.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What ci/golden.py wrote, with a writer of its own: complete, readable, and byte for byte as ours would write it. */
class GoldenFilesTest {
    static List<Path> files() throws IOException, URISyntaxException {
        Path golden = Path.of(Objects.requireNonNull(GoldenFilesTest.class.getResource("/golden"))
                .toURI());
        try (Stream<Path> files = Files.list(golden)) {
            return files.sorted().toList();
        }
    }

    @Test
    void noneIsMissing() throws IOException, URISyntaxException {
        assertEquals(57, files().size());
    }

    @ParameterizedTest
    @MethodSource("files")
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
    @MethodSource("files")
    void ourWriterGivesTheSameBytes(Path file, @TempDir Path folder) throws IOException {
        Path copy = folder.resolve("copy");
        SafeTensors.read(file).write(copy);
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(copy));
    }
}
