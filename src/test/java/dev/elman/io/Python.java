package dev.elman.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.Required;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a script of {@code src/test/python} where there is a Python with the module it needs; elsewhere the test is skipped by name. */
public final class Python {
    /** Debian's own first: packages such as python3-torch are installed for that one. */
    private static final List<String> COMMANDS = List.of("/usr/bin/python3", "python3");

    private Python() {}

    /** Runs the script and returns what it printed; fails when it fails. */
    public static String run(String test, String module, String script, Path... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(with(test, module), "src/test/python/" + script));
        for (Path argument : arguments) command.add(argument.toString());
        return run(command);
    }

    private static String with(String test, String module) throws IOException {
        for (String python : COMMANDS) {
            try {
                run(List.of(python, "-c", "import importlib.util as u; assert u.find_spec('" + module + "')"));
                return python;
            } catch (IOException | AssertionError e) {
                // The next one may have it.
            }
        }
        String reason = "there is no Python here with the module " + module + " (on Debian: apt-get install python3-"
                + module + ")";
        throw Required.missing("python3-" + module, test, reason);
    }

    private static String run(List<String> command) throws IOException {
        return run(command, Duration.ofMinutes(5));
    }

    /** Its output goes to a file, so that nobody waits for what it prints while it hangs; and what hangs is ended. */
    static String run(List<String> command, Duration patience) throws IOException {
        Path printed = Files.createTempFile("python", ".txt");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(printed.toFile());
            builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
            Process process = builder.start();
            boolean done = false;
            try {
                done = process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                throw new InterruptedIOException(command.toString());
            } finally {
                if (!done) end(process);
            }
            String text = Files.readString(printed);
            assertTrue(done, () -> command + " hangs after " + patience + ": " + text);
            assertEquals(0, process.exitValue(), () -> command + ": " + text);
            return text;
        } finally {
            Files.delete(printed);
        }
    }

    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().onExit().join();
    }
}
