package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.BackendUnavailableException;
import dev.elman.contract.ChildJvm;
import dev.elman.contract.Required;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A process that may not start as many threads as are asked for: here because their stacks are larger than its addresses. */
class FewThreadsTest {
    private static final Path SHELL = Path.of("/bin/sh");

    @Test
    void saysHowManyAndWhatToDo() throws IOException, InterruptedException {
        Required.that(Files.isExecutable(SHELL), "sh", "threads that do not start", "there is no " + SHELL);
        ProcessBuilder java =
                ChildJvm.with("-Xmx64m", "-Xss1g", "-XX:+UseSerialGC").command(Opening.class);
        java.command().addAll(0, List.of(SHELL.toString(), "-c", "ulimit -v 32000000 && exec \"$@\"", "java"));
        Process process = java.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        assertTrue(said.contains("does not start 100 threads") && said.contains("-Delman.cpu.threads=50,"), said);
        assertTrue(said.endsWith("threads of ours left: 0"), said);
    }

    /** Says why it could not. */
    static final class Opening {
        private Opening() {}

        @SuppressWarnings("SystemOut") // which the test reads
        public static void main(String[] args) throws InterruptedException {
            try {
                CpuBackend.open(100).close();
            } catch (BackendUnavailableException e) {
                System.out.println(e.getMessage());
            }
            long ours = 1;
            for (int tries = 0; ours > 0 && tries < 1000; tries++) {
                Thread.sleep(10);
                ours = Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().startsWith("elman-"))
                        .count();
            }
            System.out.print("threads of ours left: " + ours);
        }
    }
}
