package dev.elman.verify;

import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What became of a list of checks.
 *
 * @param backend its name
 * @param description its one line for people
 * @param checks how many were run
 * @param results all of them, in order; several for one check
 * @param time that it took, both backends together
 */
public record Report(String backend, String description, int checks, List<Result> results, Duration time) {
    /**
     * All results on one quantity of one operation.
     *
     * @param worst the one nearest to its tolerance, or farthest beyond
     */
    public record Row(String operation, String quantity, int results, int failures, Result worst) {}

    /** Whether not one of the results failed. */
    public boolean passed() {
        return failures().isEmpty();
    }

    /** Those out of their tolerance and the broken promises, in order; {@link Result#message} says what is wrong. */
    public List<Result> failures() {
        return results.stream().filter(result -> !result.passed()).toList();
    }

    /** The table: one row for each operation and quantity, in the order in which they first came. */
    public List<Row> rows() {
        Map<String, List<Result>> groups = results.stream()
                .collect(Collectors.groupingBy(
                        result -> result.operation() + " " + result.quantity(),
                        LinkedHashMap::new,
                        Collectors.toList()));
        return groups.values().stream().map(Report::row).toList();
    }

    private static Row row(List<Result> group) {
        Result worst = worst(group);
        int failures = (int) group.stream().filter(result -> !result.passed()).count();
        return new Row(worst.operation(), worst.quantity(), group.size(), failures, worst);
    }

    private static Result worst(List<Result> results) {
        return results.stream()
                .max(Comparator.comparing((Result result) -> !result.passed())
                        .thenComparing(Result::ratio)
                        .thenComparing(Result::tolerance))
                .orElseThrow();
    }

    /** In one line: passed and how far from the tolerance, or how much failed and what first. */
    public String line() {
        List<Result> failures = failures();
        if (!failures.isEmpty()) {
            return String.format(
                    Locale.ROOT,
                    "%s does NOT agree with the reference: %,d of %,d results are out, the first: %s",
                    backend,
                    failures.size(),
                    results.size(),
                    failures.get(0).message());
        }
        String nearest = results.stream()
                .max(Comparator.comparing(Result::ratio))
                .filter(result -> result.ratio() > 0)
                .map(Report::nearest)
                .orElse("no error at all");
        return String.format(
                Locale.ROOT,
                "%s agrees with the reference: %,d checks, %,d results in %.1f s; %s",
                backend,
                checks,
                results.size(),
                time.toMillis() / 1e3,
                nearest);
    }

    private static String nearest(Result result) {
        return String.format(
                Locale.ROOT,
                "worst error %.2g where %.2g is allowed (%s %s, %s)",
                result.worstError(),
                result.tolerance(),
                result.operation(),
                result.quantity(),
                result.shape());
    }
}
