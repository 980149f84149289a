package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures the recurrence on the backends of this machine. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Measure the recurrence: how long, and how far from what this machine can do.",
        description = {
            "",
            "Medians of whole sequences, forward and forward with backward, D = H. The peaks are measured here too: one"
                    + " large matrix product and one large copy. Traffic counts each number of the sequence once."
        },
        footerHeading = "%nExample:%n",
        footer = {"  elman bench --quick", "  elman bench --backend cuda --json > bench.json"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {Failures.CODE_0, Failures.CODE_2})
final class BenchCommand implements Callable<Integer> {
    private static final String REFERENCE = "reference";

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            completionCandidates = BackendOption.Names.class,
            description = "Which one: ${COMPLETION-CANDIDATES} (default: each that opens here, but the reference).")
    private String name = Backends.AUTO;

    @Option(names = "--quick", description = "Small shapes and few repetitions: a second for each backend.")
    private boolean quick;

    @Option(names = "--json", description = "Print one JSON object with all results.")
    private boolean json;

    private final Terminal terminal;

    BenchCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /** What {@code --json} prints. */
    record Report(List<RecurrenceBench.Result> backends, List<String> absent) {}

    @Override
    public Integer call() {
        List<RecurrenceBench.Result> results = new ArrayList<>();
        List<String> absent = new ArrayList<>();
        for (String each : names()) {
            try (Backend backend = Backends.open(each)) {
                results.add(new RecurrenceBench(backend, quick).run());
                if (!json) print(results.get(results.size() - 1));
            } catch (BackendUnavailableException e) {
                if (!name.equals(Backends.AUTO)) throw e;
                absent.add(Failures.describe(e));
            }
        }
        if (json) Json.print(terminal.out(), new Report(results, absent));
        else absent.forEach(reason -> terminal.out().println("not measured: " + reason));
        return 0;
    }

    private List<String> names() {
        if (!name.equals(Backends.AUTO)) return List.of(name);
        return Backends.NAMES.stream().filter(each -> !each.equals(REFERENCE)).toList();
    }

    private void print(RecurrenceBench.Result result) {
        PrintWriter out = terminal.out();
        out.println(result.description());
        out.println(format(
                "measured peaks: product %.1f GFLOP/s, copy %.1f GB/s", result.peakGflops(), result.copyGigabytes()));
        out.println();
        Table table = new Table(1, 9);
        table.row("pass", "N", "T", "H", "ms", "us/step", "GFLOP/s", "of product", "of copy");
        for (RecurrenceBench.Row row : result.rows()) {
            table.row(
                    row.pass(),
                    String.valueOf(row.n()),
                    String.valueOf(row.t()),
                    String.valueOf(row.h()),
                    format("%.3f", row.millis()),
                    format("%.2f", row.microsPerStep()),
                    format("%.1f", row.gflops()),
                    format("%.0f %%", 100 * row.shareOfPeak()),
                    format("%.0f %%", 100 * row.shareOfCopy()));
        }
        table.lines("").forEach(out::println);
        out.println();
        out.flush();
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
