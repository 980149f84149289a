package dev.elman.cuda;

import static java.lang.Integer.MAX_VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Operands;
import dev.elman.backend.RecurrenceChoice;
import dev.elman.cuda.SequenceSize.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which of several plans is taken, and what is said about it; the plans here are made up. */
class PlannerTest {
    private static final int[] README_SIZES = {64, 192, 512, 1024, 2048};

    /** One that is chosen and never run. */
    private interface Chosen extends RecurrencePlan {
        @Override
        default void forward(List<Recurrence> directions) {
            throw new UnsupportedOperationException();
        }

        @Override
        default void backward(List<Recurrence> directions) {
            throw new UnsupportedOperationException();
        }
    }

    /** Runs H up to a limit in a time that grows with H from a start, and back in twice that. */
    private record Named(String name, int most, double micros, int fewestSteps) implements Chosen {
        @Override
        public String refusal(Operands.Rnn sizes, boolean backward, boolean dropout) {
            return sizes.h() <= most ? null : "H is above " + most;
        }

        @Override
        public double expectedMicros(Operands.Rnn sizes, int directions, boolean backward, boolean dropout) {
            return directions * (backward ? 2 : 1) * micros * sizes.h() / 64;
        }

        @Override
        public String tooShort(Operands.Rnn sizes) {
            return sizes.t() >= fewestSteps ? null : "T is below " + fewestSteps;
        }
    }

    /** Refuses the way back and dropout, or takes long for them. */
    private record Plain(boolean refuses) implements Chosen {
        @Override
        public String name() {
            return "plain";
        }

        @Override
        public String refusal(Operands.Rnn sizes, boolean backward, boolean dropout) {
            return refuses && (backward || dropout) ? "it is too plain" : null;
        }

        @Override
        public double expectedMicros(Operands.Rnn sizes, int directions, boolean backward, boolean dropout) {
            return !refuses && (backward || dropout) ? 99 : 1;
        }
    }

    private static final List<RecurrencePlan> PLANS = List.of(
            new Named("quick", 128, 1.25, 0), new Named("middling", 2048, 2.5, 7), new Named("last", MAX_VALUE, 5, 0));

    @Test
    void theFastestOfThoseThatCanRuns() {
        Planner planner = new Planner(PLANS, null);
        assertEquals("quick", planner.choose(sizes(64), 1, false, false).name());
        assertEquals("middling", planner.choose(sizes(129), 1, true, false).name());
        assertEquals("last", planner.choose(sizes(2049), 1, false, false).name());
        RecurrencePlan slow = new Named("slow", MAX_VALUE, 6, 0);
        Planner slowFirst = new Planner(List.of(slow, PLANS.get(2)), null);
        assertEquals("last", slowFirst.choose(sizes(64), 1, false, false).name());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theWayBackAndDropoutHaveAChoiceOfTheirOwn(boolean refuses) {
        List<RecurrencePlan> plans = List.of(new Plain(refuses), PLANS.get(2));
        Planner planner = new Planner(plans, null);
        List<String> ran = new ArrayList<>();
        planner.run(sizes(64), 1, false, false, plan -> ran.add(plan.name()));
        planner.run(sizes(64), 1, true, false, plan -> ran.add(plan.name()));
        planner.run(sizes(64), 1, false, true, plan -> ran.add(plan.name()));
        assertEquals("plain last last", String.join(" ", ran));
        RecurrenceChoice back = planner.explain(sizes(64), 1, true);
        assertEquals("last", back.plan());
        assertTrue(back.reason().endsWith("not plain: " + (refuses ? "it is too plain" : "99.00 us")), back.reason());
        if (!refuses) return;
        Planner forced = new Planner(plans, "plain");
        assertThrows(IllegalArgumentException.class, () -> forced.choose(sizes(64), 1, false, true));
    }

    /** With the bits of the plan that is too slow to start, not with those of the next faster one. */
    @Test
    void fewStepsAreForTheLastPlan() {
        RecurrencePlan other = new Named("other", MAX_VALUE, 4, 0);
        Planner planner = new Planner(List.of(PLANS.get(0), PLANS.get(1), other, PLANS.get(2)), null);
        assertEquals("middling", planner.choose(sizes(7, 500), 1, false, false).name());
        assertEquals("last", planner.choose(sizes(6, 500), 1, false, false).name());
        assertEquals("quick", planner.choose(sizes(6, 128), 1, false, false).name());
    }

    @Test
    void eachPlanPassedOverIsNamedWithItsReason() {
        Planner planner = new Planner(PLANS, null);
        assertEquals(
                new RecurrenceChoice(
                        "middling",
                        "40.00 us a step by what an H200 took; not quick: H is above 128; not last: 80.00 us"),
                planner.explain(sizes(1024), 1, false));
        assertEquals(
                "40.00 us a step by what an H200 took; not quick: H is above 128; not middling: T is below 7",
                planner.explain(sizes(6, 512), 1, false).reason());
        assertEquals(
                "forward over N = 32 rows: H = 64 quick 1.25 us a step, H = 256 middling 10.00 us a step,"
                        + " H = 1024 middling 40.00 us a step, by what an H200 took",
                planner.summary());
    }

    @Test
    void aForcedPlanRunsAllItCan() {
        Planner planner = new Planner(PLANS, "quick");
        assertEquals("quick", planner.choose(sizes(128), 1, true, false).name());
        assertEquals(
                "5.00 us a step by what an H200 took; elman.cuda.plan asks for it",
                planner.explain(sizes(128), 1, true).reason());
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> planner.choose(sizes(129), 1, true, false));
        assertEquals(
                "elman.cuda.plan = quick cannot run back over N = 3, T = 7, D = 5, H = 129: H is above 128."
                        + " Leave the property out, or name another.",
                refused.getMessage());
    }

    @Test
    void anUnknownPlanIsRefusedWithTheKnownOnes() {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> new Planner(PLANS, "fast"));
        assertTrue(
                refused.getMessage().contains("elman.cuda.plan is \"fast\", but the plans are quick, middling, last;"),
                refused.getMessage());
    }

    @Test
    void aForcedPlanThatRunsNothingIsRefusedBeforeAnyPass() {
        List<RecurrencePlan> plans = List.of(new Named("nothing", 0, 1, 0), PLANS.get(2));
        assertEquals(
                "last",
                new Planner(plans, null).choose(sizes(1), 1, false, false).name());
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> new Planner(plans, "nothing"));
        assertEquals(
                "CUDA cannot be used: elman.cuda.plan is \"nothing\", but H is above 0; name another plan, or leave the"
                        + " property out.",
                refused.getMessage());
    }

    /** After any other failure operands may have changed. */
    @ParameterizedTest
    @CsvSource({"CUDA_ERROR_LAUNCH_FAILED, quick", "CUDA_ERROR_INVALID_CLUSTER_SIZE, quick middling last"})
    void onlyAPlanWithoutPlaceGivesWayToTheNext(String status, String expected) {
        Planner planner = new Planner(PLANS, null);
        List<String> ran = new ArrayList<>();
        Consumer<RecurrencePlan> pass = plan -> {
            ran.add(plan.name());
            if (!plan.name().equals("last")) throw new CudaCallException("cuLaunchKernel", status, "");
        };
        if (expected.endsWith("last")) planner.run(sizes(64), 1, false, false, pass);
        else assertThrows(CudaCallException.class, () -> planner.run(sizes(64), 1, false, false, pass));
        assertEquals(expected, String.join(" ", ran));
    }

    /** The README's table of plans has what they expect. */
    @Test
    void theReadmesTableIsThePlans() throws IOException {
        StepsPlan steps = new StepsPlan(null, null, null, null, null);
        GraphPlan graph = new GraphPlan(null, steps, null);
        assertPublished(SequencePlanTest.plan(Family.BLOCK), 64, 192);
        assertPublished(SequencePlanTest.plan(Family.CLUSTER), 192, 512);
        assertPublished(SequencePlanTest.plan(Family.GRID), README_SIZES);
        assertPublished(SequencePlanTest.plan(Family.TENSOR_BLOCK), 64);
        assertPublished(SequencePlanTest.plan(Family.TENSOR), README_SIZES);
        assertPublished(graph, README_SIZES);
        assertPublished(steps, README_SIZES);
    }

    /** The plan's row ends with what it expects for these sizes, and no other. */
    private static void assertPublished(RecurrencePlan plan, int... sizes) throws IOException {
        String row = IntStream.of(README_SIZES)
                .mapToObj(h -> IntStream.of(sizes).noneMatch(size -> size == h)
                        ? "- |"
                        : String.format(
                                Locale.ROOT,
                                "%.2f |",
                                plan.expectedMicros(new Operands.Rnn(32, 512, h, h), 1, false, false)))
                .collect(Collectors.joining(" ", "| ", ""));
        assertTrue(
                Files.readAllLines(Path.of("README.md")).stream()
                        .anyMatch(line -> line.startsWith("| `" + plan.name() + "` |") && line.endsWith(row)),
                plan.name() + " " + row);
    }

    private static Operands.Rnn sizes(int t, int h) {
        return new Operands.Rnn(3, t, 5, h);
    }

    private static Operands.Rnn sizes(int h) {
        return new Operands.Rnn(3, 7, 5, h);
    }
}
