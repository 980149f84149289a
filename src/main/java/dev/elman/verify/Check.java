package dev.elman.verify;

import dev.elman.backend.Backend;
import java.util.List;

/**
 * One question to a backend, with its own seed.
 *
 * @param operation method of the seam that it is about
 * @param shape sizes by letter
 * @param variant what else is particular
 */
public record Check(String operation, String shape, String variant, Body body) {
    /** What is done. An exception that it lets out is a failure, and so is a tensor that it leaves open. */
    @FunctionalInterface
    interface Body {
        void run(Check check, Bench bench, Findings findings);
    }

    /** Operation, shape and variant; no two checks have the same. */
    public String name() {
        return (operation + " " + shape).strip() + (variant.isEmpty() ? "" : " (" + variant + ")");
    }

    /** Where this check's random numbers begin; told by its name. */
    public long seed() {
        return name().hashCode();
    }

    /**
     * Judges the tested backend; one result for each output or promise. What goes wrong is a result, too: nothing is thrown
     * but errors of the Java runtime, such as lack of memory.
     */
    public List<Result> run(Bench bench) {
        Backend tested = bench.tested();
        Findings findings = new Findings(this, tested.name(), tested.unitRoundoff());
        int live = tested.liveTensors();
        try {
            body.run(this, bench, findings);
        } catch (RuntimeException | LinkageError e) {
            findings.require("no exception", false, "threw " + e + " at " + origin(e));
        }
        int left = tested.liveTensors() - live;
        if (left != 0) findings.require("no tensor left open", false, left + " tensors more than before");
        return findings.results();
    }

    private static Object origin(Throwable e) {
        return e.getStackTrace().length == 0 ? "an unknown place" : e.getStackTrace()[0];
    }

    @Override
    public String toString() {
        return name();
    }
}
