package dev.elman.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Says what is there on this machine, what is not, why, and what to do about it. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Say what this machine has and lacks, why, and what to do.",
        footerHeading = "%nExample:%n",
        footer = {"  elman doctor", "  elman doctor --json > doctor.json"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:everything that is needed is there",
            "1:something that is needed is missing or set wrongly",
            Failures.CODE_2,
            Failures.CODE_3
        })
final class DoctorCommand implements Callable<Integer> {
    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    private final Terminal terminal;

    DoctorCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /** What {@code --json} prints. */
    record Report(boolean ok, String version, List<Finding> findings) {}

    @Override
    public Integer call() {
        List<Finding> findings = new Diagnosis(terminal).findings();
        boolean ok = findings.stream().allMatch(finding -> finding.ok() || !finding.blocking());
        if (json) Json.print(terminal.out(), new Report(ok, Main.Version.number(), findings));
        else print(findings, ok);
        return ok ? 0 : Failures.CHECK_FAILED;
    }

    private void print(List<Finding> findings, boolean ok) {
        PrintWriter out = terminal.out();
        int width = findings.stream().mapToInt(f -> f.name().length()).max().orElse(0);
        for (Finding finding : findings) {
            String name = finding.name() + " ".repeat(width - finding.name().length());
            out.println((finding.ok() ? "ok  " : "no  ") + name + "  " + finding.detail());
            if (!finding.remedy().isEmpty()) out.println(" ".repeat(width + 6) + "-> " + finding.remedy());
        }
        out.println();
        out.println(
                ok
                        ? "Everything that is needed is there."
                        : "Something that is needed is missing or set wrongly; see above.");
    }
}
