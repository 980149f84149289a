package dev.elman.cli;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The results of {@code bench} as a table for people and as lines for programs. */
final class BenchTable {
    private static final String TSV_COLUMNS =
            "who precision pass lengths directions N T H samples ms ms_low ms_high gflops"
                    + " share_of_product share_of_copy plan";

    private BenchTable() {}

    static List<String> lines(RecurrenceBench.Result result) {
        Table table = new Table(2, 12);
        table.row(
                "pass",
                "plan",
                "N",
                "T",
                "H",
                "ms",
                "lowest",
                "highest",
                "us/step",
                "GFLOP/s",
                "of product",
                "of copy");
        for (RecurrenceBench.Row row : result.rows()) {
            table.row(
                    row.pass(),
                    row.plan(),
                    String.valueOf(row.n()),
                    row.lengths().equals("full") ? String.valueOf(row.t()) : "1.." + row.t(),
                    hidden(row),
                    format("%.3f", row.millis()),
                    format("%.3f", row.lowestMillis()),
                    format("%.3f", row.highestMillis()),
                    format("%.2f", row.microsPerStep()),
                    format("%.1f", row.gflops()),
                    format("%.0f %%", 100 * row.shareOfPeak()),
                    format("%.0f %%", 100 * row.shareOfCopy()));
        }
        List<String> lines = table.lines("");
        lines.addAll(0, List.of(result.description(), peaks(result), ""));
        lines.addAll(reasons(result));
        return lines;
    }

    /** Why each row took its plan, rows with the same words once; nothing for a backend that has one way for all. */
    private static List<String> reasons(RecurrenceBench.Result result) {
        List<String> reasons = result.rows().stream()
                .filter(row -> !row.plan().equals(result.backend()))
                .map(row -> format("%s at N = %d, H = %s: %s", row.plan(), row.n(), hidden(row), row.reason()))
                .distinct()
                .toList();
        return reasons.isEmpty()
                ? reasons
                : Stream.concat(Stream.of(""), reasons.stream()).toList();
    }

    private static String hidden(RecurrenceBench.Row row) {
        return (row.directions() == 1 ? "" : row.directions() + " x ") + row.h();
    }

    private static String peaks(RecurrenceBench.Result result) {
        return format(
                "measured peaks: product %.1f GFLOP/s, copy %.1f GB/s", result.peakGflops(), result.copyGigabytes());
    }

    static String tsvHeader() {
        return TSV_COLUMNS.replace(' ', '\t');
    }

    /** Lines that say whose numbers follow. */
    static List<String> tsvComments(RecurrenceBench.Result result) {
        return List.of("# " + result.description(), "# " + peaks(result));
    }

    /** One line; the first twelve columns are those of {@code ci/peer_cudnn.py} too. */
    static String tsv(RecurrenceBench.Result result, RecurrenceBench.Row row) {
        return String.join(
                "\t",
                result.backend(),
                result.precision(),
                row.pass(),
                row.lengths(),
                String.valueOf(row.directions()),
                String.valueOf(row.n()),
                String.valueOf(row.t()),
                String.valueOf(row.h()),
                String.valueOf(row.samples()),
                format("%.6f", row.millis()),
                format("%.6f", row.lowestMillis()),
                format("%.6f", row.highestMillis()),
                format("%.1f", row.gflops()),
                format("%.4f", row.shareOfPeak()),
                format("%.4f", row.shareOfCopy()),
                row.plan());
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
