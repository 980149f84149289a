package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.elman.backend.Operands;
import dev.elman.contract.Required;
import dev.elman.reference.ReferenceBackend;
import dev.elman.verify.Bench;
import dev.elman.verify.Check;
import dev.elman.verify.Checks;
import dev.elman.verify.Result;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** Every plan keeps the contract of the recurrence where it is the only one that may run. */
@Tag("cuda")
class CudaPlansTest {
    @TestFactory
    Stream<DynamicTest> plans() {
        try (CudaBackend backend = Required.open("cuda", CudaBackend::open)) {
            List<String> plans = backend.planner().names();
            assertEquals(
                    List.of("block", "tensor-block", "cluster", "tensor-cluster", "grid", "tensor", "graph", "steps"),
                    plans);
            return plans.stream().flatMap(plan -> switch (plan) {
                case "tensor", "tensor-block" -> Stream.of(plan(plan, false), plan(plan, true));
                case "tensor-cluster" -> Stream.of(plan(plan, true));
                default -> Stream.of(plan(plan, false));
            });
        }
    }

    private static DynamicTest plan(String plan, boolean tf32) {
        return dynamicTest(tf32 ? plan + " in TF32" : plan, () -> keepsTheContract(plan, tf32));
    }

    private static void keepsTheContract(String plan, boolean tf32) {
        CudaSettings forced = Settings.of("plan=" + plan, "tf32=" + tf32);
        boolean software;
        try (CudaBackend backend = CudaBackend.open(Settings.of("plan=", "tf32=" + tf32))) {
            software = backend.description().contains("software device");
            String refusal = backend.planner().named(plan).refusal(new Operands.Rnn(1, 9, 1, 1), false, false);
            Required.that(refusal == null, plan, "the contract in plan " + plan, refusal);
        }
        List<Check> checks = software ? sample(plan, tf32) : all();
        try (Bench bench = Bench.open(() -> CudaBackend.open(forced), ReferenceBackend::new)) {
            List<Result> failed = checks.stream()
                    .flatMap(check -> check.run(bench).stream())
                    .filter(result -> !result.passed())
                    .toList();
            // What a plan cannot run it says; then the check has judged nothing.
            String cannot = "elman.cuda.plan = " + plan + " cannot run";
            assertEquals(
                    "",
                    failed.stream()
                            .map(Result::message)
                            .filter(message -> !message.contains(cannot))
                            .collect(Collectors.joining("\n")));
            assertTrue(
                    2 * failed.size() < checks.size(), plan + " cannot run " + failed.size() + " of " + checks.size());
        }
    }

    /**
     * Of how many checks one is made in CI: the software driver takes minutes for plans that fill H up to 256 or 384, on tensor
     * cores N to 8 as well. Of steps CudaStepsPlanTest makes all, and of block CudaBackendTest, which lets the planner choose.
     */
    private static int oneIn(String plan) {
        return switch (plan) {
            case "tensor" -> 48;
            case "tensor-cluster" -> 24;
            case "steps", "block" -> 16;
            case "grid" -> 12;
            case "tensor-block" -> 8;
            case "cluster" -> 6;
            case "graph" -> 2;
            default -> throw new IllegalArgumentException(plan);
        };
    }

    private static List<Check> all() {
        return Checks.all().stream()
                .filter(check -> check.operation().matches("(simpleRnn|bidirectional).*"))
                .toList();
    }

    /** Others for each plan, and drawn: every so many would be alike, for the checks' variants come in turns. */
    private static List<Check> sample(String plan, boolean tf32) {
        List<Check> checks = new ArrayList<>(all());
        Collections.shuffle(checks, new Random(plan.hashCode() + (tf32 ? 1 : 0)));
        return checks.subList(0, checks.size() / oneIn(plan));
    }
}
