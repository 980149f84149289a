package dev.elman.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What runs other tests' scripts; a shell stands in for Python. */
class PythonTest {
    private static final Path SHELL = Path.of("/bin/sh");

    @TempDir
    private Path folder;

    @Test
    void whatAScriptPrintsIsReturned() throws IOException {
        assertEquals("one\ntwo\n", run("echo one; echo two >&2", 60));
    }

    @Test
    void aScriptThatFailsIsAFailureWithWhatItPrinted() {
        AssertionError e = assertThrows(AssertionError.class, () -> run("echo why; exit 3", 60));
        assertTrue(e.getMessage().contains("why"), e.getMessage());
    }

    /** Its output stays open while it waits, and it has a child at work. */
    @Test
    void aScriptThatHangsIsEndedAndItsChildrenToo() throws Exception {
        Path beats = folder.resolve("beats");
        String script = "(while :; do echo beat >> " + beats + "; sleep 0.05; done) & echo begun; wait";
        AssertionError e = assertTimeoutPreemptively(
                Duration.ofSeconds(60), () -> assertThrows(AssertionError.class, () -> run(script, 1)));
        assertTrue(e.getMessage().contains("hangs after PT1S: begun"), e.getMessage());
        long size = Files.size(beats);
        Thread.sleep(500);
        assertEquals(size, Files.size(beats));
    }

    private static String run(String script, long seconds) throws IOException {
        Required.that(Files.isExecutable(SHELL), "sh", "programs that are run", "there is no " + SHELL);
        return Python.run(List.of(SHELL.toString(), "-c", script), Duration.ofSeconds(seconds));
    }
}
