package dev.elman.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example in the README's section on Spark, compiled and run as it stands there. */
class ReadmeTest {
    @TempDir
    private Path folder;

    @Test
    void theExampleSaysWhatItShould() throws Exception {
        List<String> lines = Files.readAllLines(Path.of("../README.md"));
        int section = lines.indexOf("## On Apache Spark");
        assertTrue(section >= 0, "the README has a section on Spark");
        int from = section + lines.subList(section, lines.size()).indexOf("```java") + 1;
        List<String> example =
                lines.subList(from, from + lines.subList(from, lines.size()).indexOf("```"));
        assertTrue(example.size() <= 25, "about twenty lines");
        Path source = folder.resolve("Example.java");
        Files.writeString(
                source,
                imports(example, true) + "public class Example {\n public static void main(String[] a)"
                        + " throws Exception {\n" + imports(example, false) + " }\n}\n");
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        String classPath = System.getProperty("java.class.path");
        int status = ToolProvider.getSystemJavaCompiler()
                .run(null, null, errors, "-cp", classPath, "-d", folder.toString(), source.toString());
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
        assertTrue(Files.size(Path.of("target/weekdays/model.safetensors")) > 1000);
    }

    private static String imports(List<String> lines, boolean wanted) {
        return lines.stream()
                .filter(line -> line.startsWith("import ") == wanted)
                .collect(Collectors.joining("\n", "", "\n"));
    }
}
