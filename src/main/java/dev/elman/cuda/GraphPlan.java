package dev.elman.cuda;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * The launches of {@link StepsPlan}, captured once as CUDA graphs and replayed: the same kernels and so the same bits, with
 * one call from Java for up to {@value #LONGEST} steps. A graph belongs to the addresses of a stretch of steps whose length is
 * a power of two and divides its beginning, so that sequences of any length share the graphs of their common steps; other
 * addresses or sizes are captured anew, and the graphs that were not used for longest go.
 *
 * <p>What is new to this backend first runs plainly: what the driver and cuBLAS load at a first launch, and the memory that
 * products take once, is there when a stream captures.
 */
final class GraphPlan implements RecurrencePlan {
    static final String NAME = "graph";

    static final int LONGEST = 64;
    /** Enough for two directions of two layers, forward and back, over 1,000 steps and their shorter ends. */
    static final int MOST_GRAPHS = 256;
    /** Below it a capture costs more than its replays save. */
    static final int FEWEST_STEPS = 8;

    private final CudaContext context;
    private final StepsPlan steps;
    private final InputProjection projection;
    private final Set<Kind> met = new HashSet<>();
    /** The one used last comes last. */
    private final Map<Stretch, CUgraphExec> graphs = new LinkedHashMap<>(16, 0.75f, true);

    GraphPlan(CudaContext context, StepsPlan steps, InputProjection projection) {
        this.context = context;
        this.steps = steps;
        this.projection = projection;
    }

    /**
     * What decides which kernels run, of cuBLAS's also how its operands lie: by how many bytes they miss multiples of 16.
     *
     * @param slots of states in a row that lie differently
     */
    private record Kind(
            int n,
            int h,
            Activation activation,
            boolean dropout,
            boolean transposed,
            boolean backward,
            long wh,
            long states,
            long gradients,
            int slots) {
        static Kind of(Stretch stretch) {
            Recurrence pass = stretch.pass();
            Operands.Rnn sizes = pass.sizes();
            boolean alike = (long) sizes.n() * sizes.h() % 4 == 0;
            return new Kind(
                    sizes.n(),
                    sizes.h(),
                    pass.activation(),
                    pass.factors() != 0,
                    pass.transposedWh() != 0,
                    stretch.backward(),
                    pass.wh() % 16,
                    pass.states() % 16,
                    pass.gradients() % 16,
                    alike ? 1 : Math.min(sizes.t(), 4));
        }
    }

    /** Some steps of a pass, forward or back. */
    private record Stretch(Recurrence pass, boolean backward) {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String refusal(Operands.Rnn sizes, boolean backward, boolean dropout) {
        return context.capturable()
                ? null
                : "the application's stream waits for the default stream (it lacks CU_STREAM_NON_BLOCKING) and so"
                        + " cannot be captured without harm to others";
    }

    @Override
    public String tooShort(Operands.Rnn sizes) {
        return sizes.t() >= FEWEST_STEPS ? null : "T = " + sizes.t() + " is below " + FEWEST_STEPS;
    }

    /** The device starts the kernels by itself; what Java hands over is hidden behind them. */
    @Override
    public double expectedMicros(Operands.Rnn sizes, int directions, boolean backward, boolean dropout) {
        return directions * steps.onDeviceMicros(sizes);
    }

    @Override
    public void forward(List<Recurrence> directions) {
        projection.fill(directions);
        for (Recurrence pass : directions) run(steps.beginForward(pass), false);
    }

    @Override
    public void backward(List<Recurrence> directions) {
        for (Recurrence pass : directions) {
            steps.beginBackward(pass);
            run(pass, true);
            steps.endBackward(pass);
        }
    }

    /** The stretches are the same from both ends: whole ones, then what is left over, the longest first. */
    private void run(Recurrence pass, boolean backward) {
        int all = pass.sizes().t();
        if (pass.reverse() == backward) {
            for (int from = 0; from < all; ) {
                int length = Math.min(Integer.highestOneBit(all - from), LONGEST);
                run(new Stretch(pass.part(from, length), backward));
                from += length;
            }
        } else {
            for (int to = all; to > 0; ) {
                int length = Math.min(Integer.lowestOneBit(to), LONGEST);
                to -= length;
                run(new Stretch(pass.part(to, length), backward));
            }
        }
    }

    private void run(Stretch stretch) {
        CUgraphExec graph = graphs.get(stretch);
        if (graph == null) {
            Kind kind = Kind.of(stretch);
            if (!met.contains(kind)) {
                launch(stretch);
                // Only now: a run that lacked memory has left it to be taken by the next one.
                met.add(kind);
                return;
            }
            if (graphs.size() == MOST_GRAPHS) dropOldest();
            graph = capture(stretch);
            graphs.put(stretch, graph);
        }
        CUgraphExec ready = graph;
        context.counters().graphs++;
        context.calls()
                .driver(
                        "cuGraphLaunch",
                        () -> stretch.pass().sizes().toString(),
                        () -> JCudaDriver.cuGraphLaunch(ready, context.stream()));
    }

    private void launch(Stretch stretch) {
        Recurrence pass = stretch.pass();
        int all = pass.sizes().t();
        for (int run = 0; run < all; run++) {
            if (stretch.backward()) steps.backward(pass, pass.step(all - 1 - run));
            else steps.forward(pass, pass.step(run));
        }
    }

    private CUgraphExec capture(Stretch stretch) {
        CudaCalls calls = context.calls();
        // Only what this thread does could break it, and it does nothing else meanwhile.
        calls.driver(
                "cuStreamBeginCapture",
                () -> "of this thread",
                () -> JCudaDriver.cuStreamBeginCapture(
                        context.stream(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        CUgraph graph = new CUgraph();
        try {
            launch(stretch);
        } catch (RuntimeException failure) {
            // Where the driver has given the capture up there is no graph.
            String status = CudaCalls.driverStatus(() -> JCudaDriver.cuStreamEndCapture(context.stream(), graph));
            if (status == null) destroy(graph);
            throw failure;
        }
        calls.driver("cuStreamEndCapture", () -> JCudaDriver.cuStreamEndCapture(context.stream(), graph));
        context.counters().captures++;
        CUgraphExec ready = new CUgraphExec();
        Operands.Rnn sizes = stretch.pass().sizes();
        try {
            calls.driver("cuGraphInstantiate", sizes::toString, () -> JCudaDriver.cuGraphInstantiate(ready, graph, 0));
        } finally {
            destroy(graph);
        }
        return ready;
    }

    private static void destroy(CUgraph graph) {
        CudaCalls.driverStatus(() -> JCudaDriver.cuGraphDestroy(graph));
    }

    /** One that still runs is freed when it has run. */
    private void dropOldest() {
        CUgraphExec oldest = graphs.remove(graphs.keySet().iterator().next());
        context.calls().driver("cuGraphExecDestroy", () -> JCudaDriver.cuGraphExecDestroy(oldest));
    }

    @Override
    public void close() {
        for (CUgraphExec graph : graphs.values()) {
            CudaCalls.driverStatus(() -> JCudaDriver.cuGraphExecDestroy(graph));
        }
        graphs.clear();
    }
}
