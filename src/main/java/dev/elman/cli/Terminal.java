package dev.elman.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * Where a command reads and writes.
 *
 * @param in texts, as UTF-8, where a command reads any
 * @param out results; like {@code err} it is flushed at the end of each line
 * @param err one line on what went wrong; with {@code --json} also what people like to see meanwhile
 * @param interactive whether somebody watches, so that a line may be redrawn
 */
record Terminal(InputStream in, PrintWriter out, PrintWriter err, boolean interactive) {
    /** The one that this program was started from. A pipe or a file gets UTF-8, a screen what it can show. */
    static Terminal system() {
        boolean watched = isWatched();
        Charset charset = watched ? System.console().charset() : StandardCharsets.UTF_8;
        return new Terminal(
                System.in,
                writer(FileDescriptor.out, charset),
                writer(FileDescriptor.err, charset),
                watched && !"dumb".equals(System.getenv("TERM")));
    }

    /** Where a command talks to people while {@code out} may be reserved for one JSON object. */
    PrintWriter people(boolean json) {
        return json ? err : out;
    }

    private static PrintWriter writer(FileDescriptor descriptor, Charset charset) {
        return new PrintWriter(new OutputStreamWriter(new FileOutputStream(descriptor), charset), true);
    }

    /**
     * Before JDK 22 there is a console only where both ends are a terminal. From then on there may be one for pipes too,
     * and it has to be asked.
     */
    @SuppressWarnings("SystemConsoleNull") // where it is not null, it is asked
    private static boolean isWatched() {
        java.io.Console console = System.console();
        if (console == null) return false;
        try {
            return (boolean) java.io.Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            return false;
        }
    }
}
