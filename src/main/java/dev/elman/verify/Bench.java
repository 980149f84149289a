package dev.elman.verify;

import dev.elman.backend.Backend;
import java.util.function.Supplier;

/**
 * What a check works with.
 *
 * @param opener opens one more backend of the kind that is judged, for checks that close it
 * @param tested the backend that is judged
 * @param reference the one it is judged by
 */
public record Bench(Supplier<Backend> opener, Backend tested, Backend reference) implements AutoCloseable {
    /** Opens one backend of each kind, which {@link #close} closes; {@code tested} may be asked again. */
    public static Bench open(Supplier<Backend> tested, Supplier<Backend> reference) {
        Backend judged = tested.get();
        try {
            return new Bench(tested, judged, reference.get());
        } catch (RuntimeException failure) {
            judged.close();
            throw failure;
        }
    }

    @Override
    public void close() {
        tested.close();
        reference.close();
    }

    /** Memory and random numbers for the judged side of a check. */
    Trial trial(Check check) {
        return new Trial(tested, reference, check.seed(), Tampering.NONE);
    }

    /** The same on the reference, with the same numbers. */
    Trial referenceTrial(Check check) {
        return new Trial(reference, reference, check.seed(), Tampering.NONE);
    }
}
