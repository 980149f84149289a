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
        String printed = new ExampleCode(example("TextClassifier.train")).run(folder);
        assertEquals("Freitag is de", printed.strip());
        assertTrue(Files.size(Path.of("target/weekdays.safetensors")) > 1000);
    }

    @Test
    void theFirstThirtyLinesHoldExampleTableAndCommands() throws IOException {
        String head = Files.readAllLines(README).stream().limit(30).collect(Collectors.joining("\n"));
        assertTrue(
                example("TextClassifier.train").stream()
                                .filter(line -> !line.isBlank())
                                .count()
                        <= 15,
                "twelve lines and the imports");
        for (String part :
                new String[] {"| `cuda` |", "| `cpu` |", "| `reference` |", "elman.jar demo", "ci/check.sh"}) {
            assertTrue(head.contains(part), part);
        }
    }

    /** The lines of the first example that has {@code what} in it. */
    static List<String> example(String what) throws IOException {
        List<String> lines = Files.readAllLines(README);
        while (lines.contains("```java")) {
            lines = lines.subList(lines.indexOf("```java") + 1, lines.size());
            List<String> example = lines.subList(0, lines.indexOf("```"));
            if (example.stream().anyMatch(line -> line.contains(what))) return example;
        }
        throw new AssertionError("The README has no example with " + what);
    }
}
