package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShellTest {
    @Test
    void aCommandIsCalledAsThisProgramWas(@TempDir Path folder) throws IOException {
        Path model = Path.of("models/names.safetensors");
        Path jar = Files.createFile(folder.resolve("elman.jar"));
        assertEquals(
                "java -jar " + jar + " predict models/names.safetensors",
                Shell.elman(jar.toString(), "predict", model));
        String classes = "target/classes" + File.pathSeparator + jar;
        assertEquals("elman predict models/names.safetensors", Shell.elman(classes, "predict", model));
        assertEquals("elman evaluate m", Shell.elman("no/such.jar", "evaluate", Path.of("m")));
        assertEquals("elman predict ./-m", Shell.elman("no/such.jar", "predict", Path.of("-m")));
        Path spaced = Files.createFile(folder.resolve("my elman.jar"));
        assertEquals("java -jar '" + spaced + "' doctor", Shell.elman(spaced.toString(), "doctor"));
    }

    /** That a shell reads back what was quoted is for the shell to say. */
    @Test
    void aWordStaysOne() throws IOException, InterruptedException {
        assertEquals("plain-1_2/x.y", Shell.quoted("plain-1_2/x.y"));
        for (String word : new String[] {"two words", "it's", "$HOME;`ls`", "a\"b\\c", "*", ""}) {
            Process shell = new ProcessBuilder("sh", "-c", "printf %s " + Shell.quoted(word)).start();
            assertEquals(
                    word, new String(shell.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8));
            assertEquals(0, shell.waitFor());
        }
    }
}
