package dev.elman.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * From starting a JVM to the end of its first forward pass. The first time the folders in which the libraries unpack
 * their natives are empty; the jars are in the page cache all the time.
 */
final class FirstForward {
    private static final Sizes SIZES = new Sizes(1, 128, 64, 64);
    private static final int LATER = 5;

    private final QuietMachine machine;
    private final Path logs;

    FirstForward(QuietMachine machine, Path logs) {
        this.machine = machine;
        this.logs = logs;
    }

    void writeTo(Markdown text, List<PeerSpec> specs) throws IOException {
        text.heading("From JVM start to the end of the first forward " + SIZES + ", ms");
        text.table(List.of("peer", "natives not unpacked yet", "later, median of " + LATER, "quartiles"));
        for (PeerSpec spec : specs) {
            Path cache = Files.createTempDirectory("elman-peers");
            PeerSpec caching = spec.withOption("-Dorg.bytedeco.javacpp.cachedir=" + cache)
                    .withOption("-Djava.io.tmpdir=" + cache)
                    .withOption("-DDJL_CACHE_DIR=" + cache);
            double first = millis(caching);
            double[] later = new double[LATER];
            for (int i = 0; i < LATER; i++) later[i] = millis(caching);
            delete(cache);
            Quartiles quartiles = Quartiles.of(later);
            text.row(List.of(
                    spec.name(),
                    Markdown.number(first),
                    Markdown.number(quartiles.median()),
                    Markdown.number(quartiles.low()) + " to " + Markdown.number(quartiles.high())));
        }
    }

    private double millis(PeerSpec spec) throws IOException {
        machine.settle();
        long start = System.nanoTime();
        try (PeerProcess peer = new PeerProcess(spec, logs.resolve(spec.name() + "-start.log"))) {
            peer.ask("prepare", SIZES.name());
            peer.ask("warm", Mode.FORWARD, 0);
            return (System.nanoTime() - start) / 1e6;
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
        }
    }
}
