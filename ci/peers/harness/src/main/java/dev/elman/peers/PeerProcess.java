package dev.elman.peers;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The JVM of one peer, with the peer loaded. */
final class PeerProcess implements AutoCloseable {
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "OMP_NUM_THREADS", "2",
            "MKL_NUM_THREADS", "2",
            "OPENBLAS_NUM_THREADS", "2",
            "OPT_OUT_TRACKING", "true",
            // OpenBLAS then names its kernels on standard error.
            "OPENBLAS_VERBOSE", "2");
    private static final String KERNELS = "Core: ";

    private final PeerSpec spec;
    private final Path log;
    private final Process process;
    private final BufferedReader replies;
    private final BufferedWriter commands;
    private final boolean trains;

    /** @param log where its standard error goes */
    PeerProcess(PeerSpec spec, Path log) throws IOException {
        this.spec = spec;
        this.log = log;
        ProcessBuilder builder =
                new ProcessBuilder(spec.java(Worker.class.getName(), spec.adapter())).redirectError(log.toFile());
        builder.environment().putAll(ENVIRONMENT);
        process = builder.start();
        replies = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        commands = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        trains = Boolean.parseBoolean(ask("load"));
    }

    String name() {
        return spec.name();
    }

    boolean can(Mode mode) {
        return mode == Mode.FORWARD || trains;
    }

    long ticks() throws IOException {
        return Machine.ticksOf(process.pid());
    }

    /** Throws {@link IOException} where the peer failed or its process ended. */
    String ask(Object... command) throws IOException {
        String line = String.join(" ", Stream.of(command).map(String::valueOf).toList());
        commands.write(line + "\n");
        commands.flush();
        for (String reply = replies.readLine(); reply != null; reply = replies.readLine()) {
            if (reply.startsWith(Worker.OK))
                return reply.substring(Worker.OK.length()).trim();
            if (reply.startsWith(Worker.ERROR)) {
                throw new IOException(line + ": " + reply.substring(Worker.ERROR.length()) + "; see " + log);
            }
        }
        throw new IOException(line + ": the process ended; see " + log);
    }

    /** What the peer says of itself, and which kernels its OpenBLAS says it took. */
    String describe() throws IOException {
        String kernels = Files.readAllLines(log).stream()
                .filter(line -> line.startsWith(KERNELS))
                .map(line -> "; OpenBLAS kernels " + line.substring(KERNELS.length()))
                .findFirst()
                .orElse("");
        List<String> options = spec.options();
        return ask("describe") + kernels + (options.isEmpty() ? "" : "; `" + String.join(" ", options) + "`");
    }

    /** Ends it, if it has not ended by itself. */
    @Override
    public void close() {
        try {
            commands.close();
        } catch (IOException e) { // it reads no more; why was told where it did not answer
            process.destroy();
        }
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
