package dev.elman.spark;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where elman's version is read from; {@link ExecutorsIT} has it from plain jars. */
class VersionTest {
    @TempDir
    private Path folder;

    @Test
    void isThatOfTheJarWithinAJar() throws Exception {
        String inner = "BOOT-INF/classes/";
        String name = ExecutorCheck.class.getName();
        Path jar = folder.resolve("application.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new JarEntry(inner + "META-INF/MANIFEST.MF"));
            out.write("Manifest-Version: 1.0\nImplementation-Version: 9.9\n".getBytes(US_ASCII));
            out.putNextEntry(new JarEntry(inner + name.replace('.', '/') + ".class"));
            ExecutorCheck.class.getResourceAsStream("ExecutorCheck.class").transferTo(out);
        }
        URL root = URI.create("jar:" + jar.toUri() + "!/" + inner).toURL();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {root}, null)) {
            assertEquals("9.9", ExecutorCheck.version(Class.forName(name, false, loader)));
        }
    }

    @Test
    void ofAFolderOfClassesIsNotKnown() {
        assertEquals("unpacked", ExecutorCheck.version(ExecutorCheck.class));
    }
}
