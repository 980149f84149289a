package dev.elman.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.Tensor;
import dev.elman.reference.ReferenceBackend;
import dev.elman.verify.Bench;
import dev.elman.verify.Check;
import dev.elman.verify.Checks;
import dev.elman.verify.Result;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract fails when it should: one planted fault after the other is found, and none where there is none. */
class ContractSensitivityTest {
    private static final List<Check> ALL = Checks.all();

    static List<Fault> faults() {
        return Fault.all();
    }

    @ParameterizedTest
    @MethodSource("faults")
    void isFound(Fault fault) {
        List<Check> suspects = ALL.stream()
                .filter(check -> fault.operations().contains(check.operation()))
                .toList();
        Optional<Result> failure =
                firstFailure(() -> FaultyBackend.of(new ReferenceBackend(), fault), suspects, fault.quantity());
        assertTrue(failure.isPresent(), () -> suspects.size() + " checks passed with " + fault);
    }

    /** The disguise alone upsets nothing, but for the one check that notices more precision than is claimed. */
    @Test
    void nothingIsFoundWhereNothingIsWrong() {
        List<Check> checks = Checks.quick().stream()
                .filter(check -> !check.variant().equals("round trip"))
                .toList();
        assertEquals(Optional.empty(), firstFailure(() -> FaultyBackend.of(new ReferenceBackend(), null), checks, ""));
    }

    @Test
    void aFailureSaysAllThatBringsItBack() {
        List<Check> forward = ALL.stream()
                .filter(check -> check.operation().equals("simpleRnnForward")
                        && check.shape().equals("T=7 N=33 D=5 H=31"))
                .toList();
        Supplier<Backend> faulty = () -> FaultyBackend.of(new ReferenceBackend(), fault("initial state is zero"));
        Result failure = firstFailure(faulty, forward, "h").orElseThrow();
        assertEquals("simpleRnnForward", failure.operation());
        assertEquals("h", failure.quantity());
        assertTrue(failure.worstError() > failure.tolerance() && failure.tolerance() > 0);
        Check check = forward.stream()
                .filter(each -> each.variant().equals(failure.variant()))
                .findFirst()
                .orElseThrow();
        Set<String> parts = Set.of(
                "reference",
                "simpleRnnForward",
                "T=7 N=33 D=5 H=31",
                failure.variant(),
                "h: element ",
                "worst error " + String.format(Locale.ROOT, "%.3g", failure.worstError()),
                "tolerance " + String.format(Locale.ROOT, "%.3g", failure.tolerance()),
                "seed " + check.seed());
        for (String part : parts) assertTrue(failure.message().contains(part), part + " in " + failure.message());
    }

    /** cuBLAS sums T*N rows in another order than N: that may cost the bits where they are not promised, and nothing else. */
    @ParameterizedTest
    @CsvSource({"1e-7,false,true", "1e-7,true,false", "1e-3,false,false"})
    void statesByStepAreJudgedByWhatIsPromised(double nudge, boolean promised, boolean passes) {
        Fault otherOrder = new Fault("other order", "h by steps", Set.of("simpleRnnForward"), call -> {
            call.proceed();
            Tensor h = call.argument(0, SimpleRnnForward.class).h();
            if (h.shape().extent(0) == 2) return;
            Tensor state = h.slice(1, 1);
            double[] values = state.toDoubles();
            values[0] += nudge;
            state.set(values);
        });
        List<Check> steps = ALL.stream()
                .filter(check -> check.operation().equals("simpleRnnForward")
                        && check.variant().startsWith("step by step"))
                .toList();
        assertEquals(30, steps.size());
        Supplier<Backend> tested = () -> promising(promised, FaultyBackend.of(new ReferenceBackend(), otherOrder));
        assertEquals(passes, firstFailure(tested, steps, "h by steps").isEmpty());
    }

    private static Backend promising(boolean sameBitsByStep, Backend backend) {
        return Intercepted.of(
                backend, call -> call.operation().equals("sameBitsByStep") ? sameBitsByStep : call.proceed());
    }

    private static Fault fault(String name) {
        return Fault.all().stream()
                .filter(fault -> fault.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Of this quantity, or of any where {@code quantity} is empty. */
    private static Optional<Result> firstFailure(Supplier<Backend> tested, List<Check> checks, String quantity) {
        try (Bench bench = Bench.open(tested, ReferenceBackend::new)) {
            return checks.stream()
                    .flatMap(check -> check.run(bench).stream())
                    .filter(result -> !result.passed()
                            && (quantity.isEmpty() || result.quantity().equals(quantity)))
                    .findFirst();
        }
    }
}
