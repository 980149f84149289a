package dev.elman.cuda;

import dev.elman.backend.Operands;
import dev.elman.backend.RecurrenceChoice;
import dev.elman.cuda.SequenceSize.Family;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Which plan runs a pass: of those that can, the one that takes the least time by what an H200 was measured to take, or the
 * one that {@code elman.cuda.plan} names. The plans hold the table.
 */
final class Planner {
    private static final System.Logger LOG = System.getLogger(Planner.class.getName());

    private static final int TYPICAL_ROWS = 32;
    private static final int TYPICAL_STEPS = 512;
    private static final int[] TYPICAL_SIZES = {64, 256, 1024};
    private static final Operands.Rnn SMALLEST = new Operands.Rnn(1, 1, 1, 1);
    /** What the expected times rest on. */
    private static final String BASIS = "by what an H200 took";

    /** One of them refuses, and says that it multiplies in TF32. */
    private static final List<Family> IN_FLOAT32 = List.of(
            Family.BLOCK, Family.TENSOR_BLOCK, Family.CLUSTER, Family.TENSOR_CLUSTER_TF32, Family.GRID, Family.TENSOR);

    private static final List<Family> IN_TF32 = List.of(
            Family.BLOCK,
            Family.TENSOR_BLOCK_TF32,
            Family.CLUSTER,
            Family.TENSOR_CLUSTER_TF32,
            Family.GRID,
            Family.TENSOR_TF32);

    /** The last runs everything, step by step. */
    private final List<RecurrencePlan> plans;
    /** Null for none. */
    private final RecurrencePlan forced;

    /** Names of plans whose launch the driver refused. */
    private final Set<String> withoutPlace = new HashSet<>();

    /** All plans there are, those with the fewest launches first. */
    static Planner of(
            CudaContext context, KernelModule kernels, Blas blas, LiveRows live, CudaSettings settings, Device device) {
        boolean transposes = blas.tf32() && !settings.projectByStep();
        InputProjection projection = new InputProjection(
                blas, live, settings.projectByStep(), new TransposedWeights(context, kernels, transposes));
        Ring ring = new Ring(context);
        RowOrder order = new RowOrder(context, kernels);
        List<RecurrencePlan> plans = new ArrayList<>();
        for (Family family : blas.tf32() ? IN_TF32 : IN_FLOAT32) {
            plans.add(new SequencePlan(family, device, blas.tf32(), kernels, projection, ring, order));
        }
        StepsPlan steps = new StepsPlan(
                kernels,
                blas,
                projection,
                new Elementwise(context, kernels),
                new TransposedWeights(context, kernels, transposes));
        plans.add(new GraphPlan(context, steps, projection));
        plans.add(steps);
        return new Planner(plans, settings.plan());
    }

    /**
     * A choice among these plans.
     *
     * @param plans of those that are equally fast the first is taken; the last refuses nothing
     * @param forced name of the only one to use, null to choose
     * @throws IllegalArgumentException when there is no plan of that name, or it cannot run the smallest pass
     */
    Planner(List<RecurrencePlan> plans, String forced) {
        this.plans = List.copyOf(plans);
        this.forced = forced == null ? null : named(forced);
        if (forced == null) return;
        String refusal = this.forced.refusal(SMALLEST, false, false);
        if (refusal == null) return;
        throw unusable(forced, refusal + "; name another plan");
    }

    private static IllegalArgumentException unusable(String name, String why) {
        return new IllegalArgumentException(CudaChain.UNUSABLE + "elman.cuda.plan is \"" + name + "\", but " + why
                + ", or leave the property out.");
    }

    /**
     * The plan of that name.
     *
     * @throws IllegalArgumentException when there is none
     */
    RecurrencePlan named(String name) {
        for (RecurrencePlan plan : plans) if (plan.name().equals(name)) return plan;
        throw unusable(name, "the plans are " + String.join(", ", names()) + "; name one of them");
    }

    /**
     * Runs a pass by the plan for it. Where there is no place for that plan's blocks, though the device has as many multiprocessors
     * as they need, the next one takes its place, now and from now on.
     *
     * @throws IllegalArgumentException as {@link #choose}
     */
    void run(Operands.Rnn sizes, int directions, boolean backward, boolean dropout, Consumer<RecurrencePlan> pass) {
        while (true) {
            RecurrencePlan plan = choose(sizes, directions, backward, dropout);
            try {
                pass.accept(plan);
                return;
            } catch (CudaCallException failure) {
                if (plan == forced || !failure.hadNoPlace()) throw failure;
                LOG.log(
                        System.Logger.Level.WARNING,
                        "the plan {0} is not used: {1}",
                        plan.name(),
                        failure.getMessage());
                withoutPlace.add(plan.name());
            }
        }
    }

    private String refusal(RecurrencePlan plan, Operands.Rnn sizes, boolean backward, boolean dropout) {
        return withoutPlace.contains(plan.name())
                ? "the driver had no place for it"
                : plan.refusal(sizes, backward, dropout);
    }

    /**
     * The plan for one or both directions of a layer of these sizes.
     *
     * @throws IllegalArgumentException when the plan that was asked for cannot run it
     */
    RecurrencePlan choose(Operands.Rnn sizes, int directions, boolean backward, boolean dropout) {
        if (forced != null) {
            String refusal = forced.refusal(sizes, backward, dropout);
            if (refusal == null) return forced;
            throw new IllegalArgumentException("elman.cuda.plan = " + forced.name() + " cannot run "
                    + (backward ? "back" : "forward") + " over N = " + sizes.n() + ", T = " + sizes.t() + ", D = "
                    + sizes.d() + ", H = " + sizes.h() + ": " + refusal + ". Leave the property out, or name another.");
        }
        return fastest(sizes, directions, backward, dropout);
    }

    private RecurrencePlan fastest(Operands.Rnn sizes, int directions, boolean backward, boolean dropout) {
        RecurrencePlan best = null;
        double least = Double.POSITIVE_INFINITY;
        for (RecurrencePlan plan : plans) {
            if (refusal(plan, sizes, backward, dropout) != null) continue;
            double micros = plan.expectedMicros(sizes, directions, backward, dropout);
            if (micros >= least) continue;
            best = plan;
            least = micros;
        }
        return best.tooShort(sizes) == null ? best : plans.get(plans.size() - 1);
    }

    /** What runs which size, for people who have not said theirs. */
    String summary() {
        if (forced != null) return forced.name() + " for all sizes, as elman.cuda.plan asks";
        StringBuilder text = new StringBuilder("forward over N = " + TYPICAL_ROWS + " rows:");
        for (int h : TYPICAL_SIZES) {
            Operands.Rnn sizes = new Operands.Rnn(TYPICAL_ROWS, TYPICAL_STEPS, h, h);
            RecurrencePlan plan = choose(sizes, 1, false, false);
            text.append(" H = " + h + " " + plan.name() + " " + micros(plan, sizes, 1, false) + " a step,");
        }
        return text.append(" ").append(BASIS).toString();
    }

    /** The same choice without dropout, with its reasons, for people. */
    RecurrenceChoice explain(Operands.Rnn sizes, int directions, boolean backward) {
        RecurrencePlan plan = choose(sizes, directions, backward, false);
        List<String> reasons = new ArrayList<>();
        reasons.add(micros(plan, sizes, directions, backward) + " a step " + BASIS);
        if (forced != null) reasons.add("elman.cuda.plan asks for it");
        for (RecurrencePlan other : plans) {
            if (other == plan || forced != null) continue;
            String refusal = refusal(other, sizes, backward, false);
            if (refusal == null) refusal = other.tooShort(sizes);
            if (refusal == null) refusal = micros(other, sizes, directions, backward);
            reasons.add("not " + other.name() + ": " + refusal);
        }
        return new RecurrenceChoice(plan.name(), String.join("; ", reasons));
    }

    private static String micros(RecurrencePlan plan, Operands.Rnn sizes, int directions, boolean backward) {
        return String.format(Locale.ROOT, "%.2f us", plan.expectedMicros(sizes, directions, backward, false));
    }

    /** The plans' names. */
    List<String> names() {
        return plans.stream().map(RecurrencePlan::name).toList();
    }

    void close() {
        plans.forEach(RecurrencePlan::close);
    }
}
