package dev.elman.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine;

/** What a command line came to: its exit code, and what it printed where nobody watched. */
record Outcome(int code, String out, String err) {
    static Outcome of(String... args) {
        return withInput("", args);
    }

    static Outcome of(List<String> first, String... more) {
        return of(line(first, more));
    }

    static Outcome withInput(String input, String... args) {
        return run(input, Main::commandLine, args);
    }

    /** These words, and {@code more} after them. */
    static String[] line(List<String> first, String... more) {
        return Stream.concat(first.stream(), Stream.of(more)).toArray(String[]::new);
    }

    /** Where Java has read {@code args} in this encoding. */
    static Outcome inEncoding(String encoding, String... args) {
        String before = System.setProperty("sun.jnu.encoding", encoding);
        try {
            return of(args);
        } finally {
            System.setProperty("sun.jnu.encoding", before);
        }
    }

    /** Of one command, made by hand; {@code args} do not name it. */
    static Outcome ofCommand(Function<Terminal, Object> command, String... args) {
        return run("", terminal -> Main.prepared(terminal, new CommandLine(command.apply(terminal))), args);
    }

    private static Outcome run(String input, Function<Terminal, CommandLine> commandLine, String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        Terminal terminal = new Terminal(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                false);
        int code = commandLine.apply(terminal).execute(args);
        return new Outcome(code, out.toString(), err.toString());
    }

    /** All of the output, which must be one JSON object. */
    JsonObject json() {
        return JsonParser.parseString(out).getAsJsonObject();
    }
}
