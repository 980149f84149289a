package dev.elman.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures and prints the report; progress goes to standard error. The system properties {@code root} (this project,
 * built) and {@code out} name folders, {@code command} and {@code commit} are for the report's head.
 */
final class Main {
    private final Options options;
    private final List<PeerSpec> specs;
    private final Path out;
    private final QuietMachine machine;
    private final Markdown text = new Markdown();

    private Main(Options options, List<PeerSpec> specs, Path out) {
        this.options = options;
        this.specs = specs;
        this.out = out;
        this.machine = new QuietMachine(1e3 * options.patience());
    }

    public static void main(String[] args) throws IOException {
        Main main;
        try {
            Options options = Options.parse(args);
            List<PeerSpec> all =
                    PeerSpec.readAll(Path.of(System.getProperty("root")).toAbsolutePath());
            Path out =
                    Files.createDirectories(Path.of(System.getProperty("out")).toAbsolutePath());
            main = new Main(options, options.choose(all), out);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n" + Options.USAGE);
            System.exit(2);
            return;
        }
        main.run();
    }

    private void run() throws IOException {
        // A run that is stopped leaves nothing of an older one beside its own rounds.
        for (String result : List.of("results.md", "results.tsv")) Files.deleteIfExists(out.resolve(result));
        head();
        if (options.parts().contains(Options.Part.TABLES)) tables();
        if (options.parts().contains(Options.Part.START)) {
            progress("first forward");
            new FirstForward(machine, out).writeTo(text, specs);
        }
        for (PeerSpec elman :
                specs.stream().filter(spec -> spec.name().equals(Cell.OURS)).toList()) {
            if (options.parts().contains(Options.Part.MEMORY)) {
                progress("peak memory");
                new PeakMemory(elman, out).writeTo(text, options.shapes());
            }
            if (options.parts().contains(Options.Part.SCALING)) {
                new Scaling(machine, elman, options.millis(), out, this::progress).writeTo(text);
            }
        }
        text.paragraph(machine.report());
        Files.writeString(out.resolve("results.md"), text.toString());
        System.out.println(text);
    }

    private void progress(String what) {
        System.err.println(what);
    }

    private void head() throws IOException {
        text.line("# elman and its peers on a CPU").line("");
        text.line("- " + LocalDate.now() + ", commit " + System.getProperty("commit"));
        text.line("- `" + System.getProperty("command") + "`");
        text.line("- " + Machine.describe());
        text.line("- JDK " + Runtime.version() + ", float32, 2 threads");
        text.line("- " + options.rounds() + " rounds of " + Markdown.number(options.millis())
                + " ms at least; a JVM for each peer, one at work at a time, in rotating order; a round's time is the"
                + " median of its calls");
    }

    private void tables() throws IOException {
        List<PeerProcess> peers = new ArrayList<>();
        try {
            for (PeerSpec spec : specs) {
                PeerProcess peer = new PeerProcess(spec, out.resolve(spec.name() + ".log"));
                peers.add(peer);
                // The first call makes OpenBLAS name its kernels.
                peer.ask("prepare", "1x1x1x1");
                peer.ask("warm", Mode.FORWARD, 0);
                text.line("- " + spec.name() + ": " + peer.describe());
            }
            Tables tables = new Tables(machine, peers, options, this::progress);
            for (Sizes sizes : options.shapes()) {
                tables.measure(sizes);
                Files.write(out.resolve("results.tsv"), TablesReport.tsv(tables.cells()));
            }
            new TablesReport(tables.cells()).writeTo(text, options.rounds());
            TablesReport.deviations(text, tables.deviations());
            for (String sentence : tables.wrong()) text.paragraph("Not timed: " + sentence + ".");
        } finally {
            for (PeerProcess peer : peers) peer.close();
        }
    }
}
