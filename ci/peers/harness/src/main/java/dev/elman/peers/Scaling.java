package dev.elman.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** How elman's time grows with rows, steps and threads, at one width. */
final class Scaling {
    private static final int WIDTH = 256;
    private static final int STEPS = 128;
    private static final int ROWS = 32;
    private static final int MOST_ROWS = 1024;
    private static final int MOST_STEPS = 4096;
    private static final int ROUNDS = 3;
    private static final double WARM_MILLIS = 300;

    /** Loops in double take too long for more than this many rows times steps. */
    private static final int CHECKED = 1 << 13;

    private final QuietMachine machine;
    private final PeerSpec elman;
    private final double millis;
    private final Path logs;
    private final Consumer<String> progress;

    Scaling(QuietMachine machine, PeerSpec elman, double millis, Path logs, Consumer<String> progress) {
        this.machine = machine;
        this.elman = elman;
        this.millis = millis;
        this.logs = logs;
        this.progress = progress;
    }

    void writeTo(Markdown text) throws IOException {
        try (PeerProcess one = threads(1);
                PeerProcess two = threads(2)) {
            List<Sizes> rows = new ArrayList<>();
            for (int n = 1; n <= MOST_ROWS; n *= 2) rows.add(new Sizes(n, STEPS, WIDTH, WIDTH));
            List<Sizes> steps = new ArrayList<>();
            for (int t = STEPS; t <= MOST_STEPS; t *= 2) steps.add(new Sizes(ROWS, t, WIDTH, WIDTH));
            for (Mode mode : Mode.values()) {
                text.heading(mode.title() + ": scaling at D = H = " + WIDTH);
                text.paragraph("Medians of " + ROUNDS
                        + " rounds; times within them: two threads' divided by one thread's." + " Above " + CHECKED
                        + " rows times steps the numbers were not compared with loops in double.");
                text.table(List.of(
                        "(N,T,D,H)",
                        "1 thread: ms",
                        "us a step and row",
                        "2 threads: ms",
                        "us a step and row",
                        "time of 2 / of 1"));
                for (Sizes sizes : rows) row(text, sizes, mode, one, two);
                for (Sizes sizes : steps) row(text, sizes, mode, one, two);
            }
        }
    }

    private PeerProcess threads(int count) throws IOException {
        Path log = logs.resolve("elman-threads-" + count + ".log");
        return new PeerProcess(elman.withOption("-Delman.cpu.threads=" + count), log);
    }

    private void row(Markdown text, Sizes sizes, Mode mode, PeerProcess one, PeerProcess two) throws IOException {
        progress.accept("scaling: " + sizes + " " + mode.title());
        boolean checked = mode == Mode.FORWARD && sizes.n() * sizes.t() <= CHECKED;
        Check check = checked ? new Check(Problem.of(sizes)) : null;
        for (PeerProcess peer : List.of(one, two)) {
            peer.ask("prepare", sizes.name());
            if (checked) check.of(peer);
            peer.ask("warm", mode, WARM_MILLIS);
        }
        double[] single = new double[ROUNDS];
        double[] both = new double[ROUNDS];
        double[] ratio = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            single[round] = Quartiles.of(machine.time(one, mode, millis)).median();
            both[round] = Quartiles.of(machine.time(two, mode, millis)).median();
            ratio[round] = both[round] / single[round];
        }
        double oneMillis = Quartiles.of(single).median();
        double twoMillis = Quartiles.of(both).median();
        double perStepAndRow = 1e3 / ((double) sizes.n() * sizes.t());
        text.row(List.of(
                sizes.toString(),
                Markdown.number(oneMillis),
                Markdown.number(oneMillis * perStepAndRow),
                Markdown.number(twoMillis),
                Markdown.number(twoMillis * perStepAndRow),
                Markdown.ratio(Quartiles.of(ratio).median())));
    }
}
