package dev.elman;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README says first is true. */
class ReadmeTest {
    private static final Path README = Path.of("README.md");

    @TempDir
    private Path folder;

    @Test
    void theFirstExampleCompilesRunsAndSaysWhatItShould() throws Exception {
        List<String> lines = example();
        Path source = folder.resolve("Example.java");
        Files.writeString(
                source,
                imports(lines, true)
                        + "public class Example {\n public static void main(String[] a) throws Exception {\n"
                        + imports(lines, false) + " }\n}\n");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        int status = compiler.run(
                null,
                null,
                errors,
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                folder.toString(),
                source.toString());
        assertEquals(0, status, errors.toString(StandardCharsets.UTF_8));

        PrintStream console = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try (URLClassLoader loader = new URLClassLoader(
                        new URL[] {folder.toUri().toURL()}, getClass().getClassLoader());
                PrintStream captured = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            System.setOut(captured);
            loader.loadClass("Example").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        } finally {
            System.setOut(console);
        }
        assertEquals("Freitag is de", printed.toString(StandardCharsets.UTF_8).strip());
        assertTrue(Files.size(Path.of("target/weekdays.safetensors")) > 1000);
    }

    @Test
    void theFirstThirtyLinesHoldExampleTableAndCommands() throws IOException {
        String head = Files.readAllLines(README).stream().limit(30).collect(Collectors.joining("\n"));
        assertTrue(example().stream().filter(line -> !line.isBlank()).count() <= 15, "twelve lines and the imports");
        for (String part :
                new String[] {"| `cuda` |", "| `cpu` |", "| `reference` |", "elman.jar demo", "ci/check.sh"}) {
            assertTrue(head.contains(part), part);
        }
    }

    private static List<String> example() throws IOException {
        List<String> lines = Files.readAllLines(README);
        int from = lines.indexOf("```java") + 1;
        return lines.subList(from, from + lines.subList(from, lines.size()).indexOf("```"));
    }

    /** The lines that are imports, or those that are not. */
    private static String imports(List<String> lines, boolean wanted) {
        return lines.stream()
                .filter(line -> line.startsWith("import ") == wanted)
                .collect(Collectors.joining("\n", "", "\n"));
    }
}
