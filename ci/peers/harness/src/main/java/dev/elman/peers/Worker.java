package dev.elman.peers;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.StringJoiner;

/**
 * Runs one peer and obeys commands on standard input, one a line. Each is answered by one line on standard output that
 * begins with {@link #OK} or {@link #ERROR}; what libraries print goes to standard error.
 */
final class Worker {
    static final String OK = "@@ ok ";
    static final String ERROR = "@@ error ";

    private final String adapter;
    private Peer peer;

    private Worker(String adapter) {
        this.adapter = adapter;
    }

    /** Takes the name of the adapter's class. */
    public static void main(String[] args) throws IOException {
        PrintStream replies = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Worker worker = new Worker(args[0]);
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            replies.println(worker.reply(line));
        }
        // Libraries leave threads behind that would keep the JVM.
        Runtime.getRuntime().halt(0);
    }

    private String reply(String line) {
        try {
            return OK + answer(line.split(" ", 3)).replace('\n', ' ');
        } catch (Exception | LinkageError | OutOfMemoryError e) {
            e.printStackTrace();
            return ERROR + e.toString().replace('\n', ' ');
        }
    }

    private String answer(String[] words) throws Exception {
        return switch (words[0]) {
            case "load" -> load();
            case "describe" -> peer.describe();
            case "prepare" -> prepare(Sizes.parse(words[1]));
            case "warm" -> warm(Mode.valueOf(words[1]), Double.parseDouble(words[2]));
            case "time" -> time(Mode.valueOf(words[1]), Double.parseDouble(words[2]));
            case "save" -> save(Mode.valueOf(words[1]), Path.of(words[2]));
            default -> throw new IllegalArgumentException("There is no command \"" + words[0] + "\".");
        };
    }

    /** Answers whether the peer trains. */
    private String load() throws ReflectiveOperationException {
        peer = (Peer) Class.forName(adapter).getDeclaredConstructor().newInstance();
        return String.valueOf(peer.trains());
    }

    private String prepare(Sizes sizes) throws Exception {
        peer.prepare(Problem.of(sizes));
        return "";
    }

    /** Calls until the budget is spent, at least once. */
    private String warm(Mode mode, double budgetMillis) throws Exception {
        long start = System.nanoTime();
        do mode.run(peer);
        while (millisSince(start) < budgetMillis);
        return "";
    }

    /** As {@link #warm}; answers the milliseconds of each call. */
    private String time(Mode mode, double budgetMillis) throws Exception {
        StringJoiner times = new StringJoiner(" ");
        long start = System.nanoTime();
        do {
            long begin = System.nanoTime();
            mode.run(peer);
            times.add(String.valueOf(millisSince(begin)));
        } while (millisSince(start) < budgetMillis);
        return times.toString();
    }

    private static double millisSince(long start) {
        return (System.nanoTime() - start) / 1e6;
    }

    /**
     * Calls twice, so that it shows where a call adds to what the one before left, and writes each output to a file of
     * its name, as little-endian floats.
     */
    private String save(Mode mode, Path folder) throws Exception {
        mode.run(peer);
        mode.run(peer);
        Outputs outputs = peer.outputs();
        for (Output output : Output.of(mode)) {
            float[] values = outputs.get(output);
            ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            Files.write(folder.resolve(output.name()), bytes.array());
        }
        return "";
    }
}
