package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures the recurrence on the backends of this machine. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Measure the recurrence: how long, and how far from what this machine can do.",
        description = {
            "",
            "Medians of whole sequences, D = H. Training is forward, then backward with the gradients of the input and of"
                    + " all weights. The peaks are measured here too: one large matrix product and one large copy. Traffic"
                    + " counts each number of the sequence once."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  elman bench --quick",
            "  elman bench --batch-size 32,128 --steps 512 --hidden 256 --unequal",
            "  elman bench --bidirectional --backend cpu",
            "  elman bench --backend cuda --json > bench.json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_2, Failures.CODE_3})
final class BenchCommand implements Callable<Integer> {
    @Mixin
    private BackendsOption backends;

    @Mixin
    private BenchShapes shapes;

    @ArgGroup
    private Machine machine = new Machine();

    private final Terminal terminal;

    BenchCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /** For programs, one of these. */
    private static final class Machine {
        @Option(names = "--json", description = "Print one JSON object with all results.")
        private boolean json;

        @Option(names = "--tsv", description = "Print a line of numbers for each result as soon as it is there.")
        private boolean tsv;
    }

    /** What {@code --json} prints. */
    record Report(List<RecurrenceBench.Result> backends, List<String> absent) {}

    @Override
    public Integer call() {
        shapes.check();
        PrintWriter out = terminal.out();
        if (machine.tsv) out.println(BenchTable.tsvHeader());
        List<RecurrenceBench.Result> results = new ArrayList<>();
        List<String> absent = new ArrayList<>();
        try {
            for (String each : backends.names()) {
                try (Backend backend = Backends.open(each)) {
                    measure(backend, results);
                } catch (BackendUnavailableException e) {
                    if (backends.required()) throw e;
                    if (!each.equals(Backends.CUDA_TF32) || absent.isEmpty()) absent.add(Failures.describe(e));
                }
            }
        } finally {
            // A shape that fails, for want of memory say, does not take along what was measured before it.
            if (machine.json && !results.isEmpty()) Json.print(out, new Report(results, absent));
        }
        if (!machine.json) absent.forEach(reason -> out.println((machine.tsv ? "# " : "") + "not measured: " + reason));
        return 0;
    }

    /** Adds what it has measured, even where a shape fails. */
    private void measure(Backend backend, List<RecurrenceBench.Result> results) {
        PrintWriter out = terminal.out();
        List<BenchShapes.Shape> chosen = shapes.all();
        RecurrenceBench bench = new RecurrenceBench(backend, shapes.quick(), shapes.seconds());
        if (machine.tsv) BenchTable.tsvComments(bench.result()).forEach(out::println);
        int[] done = {0};
        try (StatusLine status = new StatusLine(terminal.people(machine.json || machine.tsv), terminal.interactive())) {
            for (BenchShapes.Shape shape : chosen) {
                status.show(String.format(Locale.ROOT, "%s %d/%d %s", backend.name(), ++done[0], chosen.size(), shape));
                for (RecurrenceBench.Row row : bench.measure(shape)) {
                    if (machine.tsv) out.println(BenchTable.tsv(bench.result(), row));
                }
            }
        } finally {
            RecurrenceBench.Result result = bench.result();
            if (!result.rows().isEmpty()) {
                results.add(result);
                if (!machine.json && !machine.tsv) print(result);
            }
        }
    }

    private void print(RecurrenceBench.Result result) {
        PrintWriter out = terminal.out();
        BenchTable.lines(result).forEach(out::println);
        out.println();
    }
}
