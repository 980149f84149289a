package dev.elman.verify;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import java.util.Arrays;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One way to call one operation.
 *
 * @param shape sizes by letter
 * @param free extents that fit at any size, as operand.axis; all others are bound by the operation's letters
 */
record Sample(String operation, String shape, String variant, Set<String> free, Setup setup) {
    /** Asks the trial for the operands, in a fixed order and by the names that the seam gives them; returns the call. */
    @FunctionalInterface
    interface Setup {
        Consumer<Backend> prepare(Trial trial);
    }

    static Sample of(String operation, String shape, String variant, Setup setup) {
        return new Sample(operation, shape, variant, Set.of(), setup);
    }

    Sample withFree(String... extents) {
        return new Sample(operation, shape, variant, Set.of(extents), setup);
    }

    /**
     * A shape for "[M,C]", which takes any rank: 33 rows come as [11,3,C], others as [M,C]. Without {@code columns} the
     * shape of what has one number for each row.
     */
    static Shape rows(int m, int... columns) {
        int[] extents = m == 33 ? new int[] {11, 3} : new int[] {m};
        int[] all = Arrays.copyOf(extents, extents.length + columns.length);
        System.arraycopy(columns, 0, all, extents.length, columns.length);
        return Shape.of(all);
    }

    /** Runs the call on the trial's backend. */
    void run(Trial trial) {
        setup.prepare(trial).accept(trial.backend());
    }

    /** Outputs as the reference's, inputs untouched, nothing written outside. */
    Check check() {
        return new Check(operation, shape, variant, (check, bench, findings) -> {
            try (Trial tested = bench.trial(check);
                    Trial expected = bench.referenceTrial(check)) {
                run(expected);
                run(tested);
                tested.judge(expected, findings);
            }
        });
    }
}
