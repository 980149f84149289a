package dev.elman;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.contract.Required;
import java.io.ByteArrayOutputStream;
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

/**
 * Code that a document shows.
 *
 * @param lines imports and statements
 */
record ExampleCode(List<String> lines) {
    /** Compiles the lines as a main method, runs it, and returns what it printed. */
    String run(Path folder) throws Exception {
        Path source = folder.resolve("Example.java");
        Files.writeString(
                source,
                lines(true)
                        + "public class Example {\n public static void main(String[] a) throws Exception {\n"
                        + lines(false) + " }\n}\n");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        Required.that(compiler != null, "javac", "code that a document shows", "this Java runtime has no compiler");
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
        return printed.toString(StandardCharsets.UTF_8);
    }

    /** The lines that are imports, or those that are not. */
    private String lines(boolean imports) {
        return lines.stream()
                .filter(line -> line.startsWith("import ") == imports)
                .collect(Collectors.joining("\n", "", "\n"));
    }
}
