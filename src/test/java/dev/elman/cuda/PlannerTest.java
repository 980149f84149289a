package dev.elman.cuda;

import static java.lang.Integer.MAX_VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.BackendUnavailableException;
import dev.elman.backend.Operands;
import dev.elman.backend.RecurrenceChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which of several plans is taken, and what is said about it; the plans here are made up. */
class PlannerTest {
    private static final int[] README_SIZES = {64, 192, 512, 1024, 2048};

    /** Runs H up to a limit, and forward it is worth it up to another; back it is never better. */
    private record Named(String name, int most, int best, boolean takesRecurrentDropout) implements RecurrencePlan {
        Named(String name, int most, int best) {
            this(name, most, best, false);
        }

        @Override
        public String refusal(Operands.Rnn sizes, boolean backward) {
            return sizes.h() <= most ? null : "H is above " + most;
        }

        @Override
        public String drawback(Operands.Rnn sizes, boolean backward) {
            return best == Integer.MAX_VALUE || (sizes.h() <= best && !backward) ? null : "it is slow there";
        }

        @Override
        public double predictedMicros(Operands.Rnn sizes, boolean backward) {
            return 1.25;
        }

        @Override
        public void forward(Recurrence pass) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void backward(Recurrence pass) {
            throw new UnsupportedOperationException();
        }
    }

    private static final List<RecurrencePlan> PLANS = List.of(
            new Named("quick", 128, 64),
            new Named("middling", 2048, 512, true),
            new Named("last", MAX_VALUE, MAX_VALUE, true));

    @Test
    void theFirstThatCanAndHasNoDrawbackRuns() {
        Planner planner = new Planner(PLANS, null);
        assertEquals("quick", planner.choose(sizes(64), false).name());
        assertEquals("middling", planner.choose(sizes(65), false).name());
        assertEquals("middling", planner.choose(sizes(512), false).name());
        assertEquals("last", planner.choose(sizes(513), false).name());
        assertEquals("last", planner.choose(sizes(64), true).name());
    }

    @Test
    void eachPlanPassedOverIsNamedWithItsReason() {
        Planner planner = new Planner(PLANS, null);
        assertEquals(
                new RecurrenceChoice(
                        "last",
                        "1.25 us a step predicted for float32 on an H200, not yet measured; not quick: H is above 128;"
                                + " not middling: it is slow there"),
                planner.explain(sizes(1024), false));
        assertEquals(
                "forward over N = 32 rows: H = 64 quick 1.25 us a step, H = 256 middling 1.25 us a step,"
                        + " H = 1024 last 1.25 us a step, predicted for float32 on an H200, not yet measured",
                planner.summary());
    }

    @Test
    void aForcedPlanRunsAllItCan() {
        Planner planner = new Planner(PLANS, "quick");
        assertEquals("quick", planner.choose(sizes(128), true).name());
        assertEquals(
                "1.25 us a step predicted for float32 on an H200, not yet measured; elman.cuda.plan asks for it",
                planner.explain(sizes(128), true).reason());
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> planner.choose(sizes(129), true));
        assertEquals(
                "elman.cuda.plan = quick cannot run back over N = 3, T = 7, D = 5, H = 129: H is above 128."
                        + " Leave the property out, or name another.",
                refused.getMessage());
    }

    @Test
    void recurrentDropoutIsForTheFirstPlanThatTakesIt() {
        assertEquals("quick", chosen(null, 0, 64, false));
        assertEquals("middling", chosen(null, 1, 64, false));
        assertEquals("last", chosen(null, 1, 513, false));
        assertEquals("last", chosen(null, 1, 64, true));
    }

    @Test
    void aForcedPlanRunsRecurrentDropoutOnlyIfItTakesIt() {
        assertEquals("middling", chosen("quick", 1, 64, false));
        assertEquals("middling", chosen("middling", 1, 2048, true));
        assertEquals("last", chosen("last", 1, 64, false));
        assertThrows(IllegalArgumentException.class, () -> chosen("middling", 1, 2049, false));
    }

    private static String chosen(String forced, long factors, int h, boolean backward) {
        Recurrence pass = new Recurrence(sizes(h), Activation.TANH, false, 0, factors, 0, 0, 0, 0, 0, 0);
        return new Planner(PLANS, forced).choose(pass, backward).name();
    }

    @Test
    void anUnknownPlanIsRefusedWithTheKnownOnes() {
        BackendUnavailableException refused =
                assertThrows(BackendUnavailableException.class, () -> new Planner(PLANS, "fast"));
        assertTrue(
                refused.getMessage().contains("elman.cuda.plan is \"fast\", but the plans are quick, middling, last;"),
                refused.getMessage());
    }

    /** The README publishes what the plans predict. */
    @Test
    void theReadmesPredictionsAreThePlans() throws IOException {
        StepsPlan steps = new StepsPlan(null, null, null, null);
        GraphPlan graph = new GraphPlan(null, steps, null);
        RecurrencePlan block = SequencePlan.block(null, null, 132);
        RecurrencePlan cluster = SequencePlan.cluster(null, null, 132, 90);
        assertPublished(block, 64, 192);
        assertPublished(cluster, 192, 512);
        assertPublished(graph, README_SIZES);
        assertPublished(steps, README_SIZES);
    }

    /** The plan's row ends with its predictions for these sizes, and no other. */
    private static void assertPublished(RecurrencePlan plan, int... sizes) throws IOException {
        String row = IntStream.of(README_SIZES)
                .mapToObj(h -> IntStream.of(sizes).noneMatch(size -> size == h)
                        ? "- |"
                        : String.format(
                                Locale.ROOT, "%.2f |", plan.predictedMicros(new Operands.Rnn(32, 512, h, h), false)))
                .collect(Collectors.joining(" ", "| ", ""));
        assertTrue(
                Files.readAllLines(Path.of("README.md")).stream()
                        .anyMatch(line -> line.startsWith("| `" + plan.name() + "` |") && line.endsWith(row)),
                plan.name() + " " + row);
    }

    private static Operands.Rnn sizes(int h) {
        return new Operands.Rnn(3, 7, 5, h);
    }
}
