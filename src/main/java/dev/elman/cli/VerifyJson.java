package dev.elman.cli;

import dev.elman.verify.Report;
import dev.elman.verify.Result;
import java.util.List;

/**
 * What {@code verify --json} prints.
 *
 * @param passed whether all results of all backends did
 * @param backends those that were judged
 * @param absent those that were not, and why
 * @param results every one; of an error that is infinite or NaN the message tells
 */
record VerifyJson(boolean passed, List<Judged> backends, List<Absent> absent, List<Result> results) {
    /** A backend and how its checks went. */
    record Judged(String backend, String description, boolean passed, int checks, double seconds) {}

    /** A backend that could not be opened. */
    record Absent(String backend, String reason) {}

    static VerifyJson of(List<Report> reports, List<Absent> absent) {
        return new VerifyJson(
                reports.stream().allMatch(Report::passed),
                reports.stream().map(VerifyJson::judged).toList(),
                absent,
                reports.stream().flatMap(report -> report.results().stream()).toList());
    }

    private static Judged judged(Report report) {
        return new Judged(
                report.backend(),
                report.description(),
                report.passed(),
                report.checks(),
                report.time().toMillis() / 1e3);
    }
}
