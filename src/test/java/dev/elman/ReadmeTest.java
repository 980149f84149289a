package dev.elman;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README says first is true. */
class ReadmeTest {
    private static final Path README = Path.of("README.md");

    @TempDir
    private Path folder;

    @Test
    void theFirstExampleCompilesRunsAndSaysWhatItShould() throws Exception {
        String printed = new ExampleCode(example(0)).run(folder);
        assertEquals("Freitag is de", printed.strip());
        assertTrue(Files.size(Path.of("target/weekdays.safetensors")) > 1000);
    }

    @Test
    void theFirstThirtyLinesHoldExampleTableAndCommands() throws IOException {
        String head = Files.readAllLines(README).stream().limit(30).collect(Collectors.joining("\n"));
        assertTrue(example(0).stream().filter(line -> !line.isBlank()).count() <= 15, "twelve lines and the imports");
        for (String part :
                new String[] {"| `cuda` |", "| `cpu` |", "| `reference` |", "elman.jar demo", "ci/check.sh"}) {
            assertTrue(head.contains(part), part);
        }
    }

    /** The lines of the example of this number, from 0. */
    static List<String> example(int number) throws IOException {
        List<String> lines = Files.readAllLines(README);
        for (int skipped = 0; skipped <= number; skipped++) {
            lines = lines.subList(lines.indexOf("```java") + 1, lines.size());
        }
        return lines.subList(0, lines.indexOf("```"));
    }
}
