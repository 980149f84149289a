package dev.elman.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.opentest4j.TestAbortedException;

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
        System.out.println("SKIPPED: " + test + ", because: " + reason);
        throw new TestAbortedException(reason);
    }

    private static String run(List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            assertTrue(process.waitFor(300, TimeUnit.SECONDS), () -> command + " hangs");
        } catch (InterruptedException e) {
            throw new InterruptedIOException(command.toString());
        }
        assertEquals(0, process.exitValue(), () -> command + ": " + printed);
        return printed;
    }
}
