package dev.elman.cuda;

import dev.elman.cuda.Probe.Finding;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Puts all questions to this machine's GPU and prints a table in Markdown; with {@code --small} little work, where there is
 * only software. Exits with 1 where a kernel's result was wrong, and where nothing could be measured.
 */
final class ProbeMain {
    private ProbeMain() {}

    public static void main(String[] args) {
        Probe.Scale scale = args.length > 0 && args[0].equals("--small") ? Probe.Scale.SMALL : Probe.Scale.GPU;
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        boolean right = true;
        boolean measured = false;
        out.println("| probe | measured | expected |");
        out.println("| --- | ---: | ---: |");
        for (Probe probe : Probes.all()) {
            try {
                for (Finding finding : probe.run(scale)) {
                    out.println(line(finding));
                    measured |= !finding.refused();
                }
            } catch (AssertionError wrong) {
                out.println("| " + probe.name() + " | WRONG: " + wrong.getMessage() + " | |");
                right = false;
            }
        }
        System.exit(right && measured ? 0 : 1);
    }

    static String line(Finding finding) {
        String expected = Double.isNaN(finding.expected()) ? "" : number(finding.expected()) + " " + finding.unit();
        String measured =
                Double.isNaN(finding.value()) ? finding.unit() : number(finding.value()) + " " + finding.unit();
        return "| " + finding.what() + " | " + measured + " | " + expected + " |";
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
