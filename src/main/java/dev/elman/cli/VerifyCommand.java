package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import dev.elman.verify.Check;
import dev.elman.verify.Checks;
import dev.elman.verify.Report;
import dev.elman.verify.Verifier;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Judges the backends of this machine by the reference. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Check that the backends of this machine compute what the reference computes.",
        description = {
            "",
            "Every operation, every output and gradient, at sizes from 1 to ordinary ones, against plain loops in double"
                    + " precision; and what a backend promises besides."
        },
        footerHeading = "%nExample:%n",
        footer = {"  elman verify --quick", "  elman verify --backend cpu --json > verify.json"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:all backends agree with the reference", "1:one does not", Failures.CODE_2, Failures.CODE_3})
final class VerifyCommand implements Callable<Integer> {
    /** Failures that are told one by one. */
    private static final int MOST_MESSAGES = 20;

    @Mixin
    private BackendsOption backends;

    @Option(names = "--quick", description = "Run a tenth of the checks, some of every operation.")
    private boolean quick;

    @Option(names = "--json", description = "Print one JSON object with all results.")
    private boolean json;

    private final Terminal terminal;
    private final Function<String, Backend> opener;

    VerifyCommand(Terminal terminal) {
        this(terminal, Backends::open);
    }

    VerifyCommand(Terminal terminal, Function<String, Backend> opener) {
        this.terminal = terminal;
        this.opener = opener;
    }

    @Override
    public Integer call() {
        List<Check> checks = quick ? Checks.quick() : Checks.all();
        List<Report> reports = new ArrayList<>();
        List<VerifyJson.Absent> absent = new ArrayList<>();
        for (String backend : backends.names()) {
            try {
                reports.add(judge(backend, checks));
            } catch (BackendUnavailableException e) {
                if (backends.required()) throw e;
                // The reason of cuda-tf32 is that of cuda, which was tried before it.
                if (!backend.equals(Backends.CUDA_TF32) || absent.isEmpty())
                    absent.add(new VerifyJson.Absent(backend, Failures.describe(e)));
            }
        }
        if (json) {
            Json.print(terminal.out(), VerifyJson.of(reports, absent));
        } else {
            reports.forEach(this::print);
            absent.forEach(one -> terminal.out().println("not judged: " + one.reason()));
        }
        return reports.stream().allMatch(Report::passed) ? 0 : Failures.CHECK_FAILED;
    }

    private Report judge(String backend, List<Check> checks) {
        try (StatusLine status = new StatusLine(terminal.people(json), terminal.interactive())) {
            int[] done = {0};
            return Verifier.run(
                    () -> opener.apply(backend),
                    () -> opener.apply(Backends.REFERENCE),
                    checks,
                    check -> status.show(String.format(
                            Locale.ROOT, "%s %d/%d %s", backend, ++done[0], checks.size(), check.operation())));
        }
    }

    private void print(Report report) {
        PrintWriter out = terminal.out();
        out.println(report.description());
        out.println();
        VerifyTable.lines(report.rows()).forEach(out::println);
        out.println();
        report.failures().stream().limit(MOST_MESSAGES).forEach(result -> out.println("OUT: " + result.message()));
        out.println(report.line());
    }
}
