package dev.elman.verify;

import dev.elman.backend.Backend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Judges a backend by the reference. */
public final class Verifier {
    private Verifier() {}

    /**
     * Runs checks one after the other, on this thread. An operation of the seam without a check is a failure, and so is a
     * tensor left open.
     *
     * @param tested opens the backend that is judged; asked again for checks that close it
     * @param reference opens the one it is judged by
     * @param checks {@link Checks#all} or {@link Checks#quick}
     * @param before told each check before it runs
     */
    public static Report run(
            Supplier<Backend> tested, Supplier<Backend> reference, List<Check> checks, Consumer<Check> before) {
        long start = System.nanoTime();
        List<Result> results = new ArrayList<>();
        try (Bench bench = Bench.open(tested, reference)) {
            Backend judged = bench.tested();
            for (Check check : checks) {
                before.accept(check);
                results.addAll(check.run(bench));
            }
            for (String operation : Checks.withoutCheck(checks)) results.add(unchecked(judged.name(), operation));
            Duration time = Duration.ofNanos(System.nanoTime() - start);
            return new Report(judged.name(), judged.description(), checks.size(), List.copyOf(results), time);
        }
    }

    private static Result unchecked(String backend, String operation) {
        String message = backend + ", " + operation + ": no check is about this operation";
        return new Result(backend, operation, "has a check", "", "", 1, 0, false, message);
    }
}
