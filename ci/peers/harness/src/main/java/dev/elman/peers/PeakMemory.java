package dev.elman.peers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The largest resident memory of a process that makes one training step with elman, above that of one that does
 * nothing: once nothing at all, and once with elman open after a step of the smallest size. The step's own data and 10
 * % are what it may take.
 */
final class PeakMemory {
    private static final String PROBE = "dev.elman.peers.MemoryProbe";
    private static final int PROCESSES = 3;
    private static final double MEGABYTE = 1e6;

    private final PeerSpec elman;
    private final Path logs;

    PeakMemory(PeerSpec elman, Path logs) {
        this.elman = elman;
        this.logs = logs;
    }

    void writeTo(Markdown text, List<Sizes> shapes) throws IOException {
        double idle = megabytes();
        double open = megabytes(new Sizes(1, 1, 1, 1).name());
        text.heading("Peak memory of one training step, MB");
        text.paragraph("Medians of " + PROCESSES + " processes. A JVM that does nothing has " + Markdown.tenths(idle)
                + " MB, one with elman open " + Markdown.tenths(open)
                + " MB. Allowed are x, h, dL/dh, dx, weights and gradients, and 10 %.");
        text.table(List.of("(N,T,D,H)", "allowed", "above an idle JVM", "within", "above an open elman", "within"));
        for (Sizes sizes : shapes) {
            double peak = megabytes(sizes.name());
            double allowed = allowedBytes(sizes) / MEGABYTE;
            List<String> row = new ArrayList<>(List.of(sizes.toString(), Markdown.tenths(allowed)));
            for (double base : new double[] {idle, open}) {
                row.add(Markdown.tenths(peak - base));
                row.add(peak - base <= allowed ? "yes" : "no");
            }
            text.row(row);
        }
    }

    /** Input, states, their gradient, the input's gradient, weights and their gradients, and 10 %. */
    static double allowedBytes(Sizes sizes) {
        double steps = (double) sizes.n() * sizes.t();
        double weights = (double) (sizes.d() + sizes.h() + 1) * sizes.h();
        return 1.1 * Float.BYTES * (2 * steps * sizes.d() + 2 * steps * sizes.h() + 2 * weights);
    }

    private double megabytes(String... arguments) throws IOException {
        double[] peaks = new double[PROCESSES];
        for (int i = 0; i < PROCESSES; i++) peaks[i] = run(arguments) / MEGABYTE;
        return Quartiles.of(peaks).median();
    }

    private double run(String... arguments) throws IOException {
        Process process = new ProcessBuilder(elman.java(PROBE, arguments))
                .redirectError(logs.resolve("elman-memory.log").toFile())
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
        try {
            return Double.parseDouble(printed);
        } catch (NumberFormatException e) {
            throw new IOException("The memory probe failed; see elman-memory.log", e);
        }
    }
}
