package dev.elman.cuda;

import dev.elman.backend.Operands;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * The launches of {@link StepsPlan}, captured once as CUDA graphs and replayed: the same kernels and so the same bits, with
 * one call from Java for up to {@value #LONGEST} steps. A graph belongs to the addresses of a stretch of steps whose length is
 * a power of two and divides its beginning, so that sequences of any length share the graphs of their common steps; other
 * addresses or sizes are other stretches.
 *
 * <p>A stretch first runs plainly and is captured when it comes again. So what comes once costs no capture, and what the driver
 * and cuBLAS load at a first launch, and the memory that products take once, is there when a stream captures.
 */
final class GraphPlan implements RecurrencePlan {
    static final String NAME = "graph";

    static final int LONGEST = 64;
    /** Enough for two directions of two layers, forward and back, over 1,000 steps and their shorter ends. */
    static final int MOST_STRETCHES = 256;
    /**
     * After so many runs of others a stretch gives its place to a new one. Not before: where a little more than there is place for
     * comes round and round, most of it then keeps its graphs, and the rest runs plainly.
     */
    static final int FORGOTTEN = 4 * MOST_STRETCHES;
    /** Below it a capture costs more than its replays save. */
    static final int FEWEST_STEPS = 8;

    private final CudaContext context;
    private final StepsPlan steps;
    private final InputProjection projection;
    /** The one used last comes last. */
    private final Map<Stretch, Replay> replays = new LinkedHashMap<>(16, 0.75f, true);

    private long runs;

    GraphPlan(CudaContext context, StepsPlan steps, InputProjection projection) {
        this.context = context;
        this.steps = steps;
        this.projection = projection;
    }

    /** Some steps of a pass, forward or back. */
    private record Stretch(Recurrence pass, boolean backward) {}

    /** What is kept of a stretch that has run. */
    private static final class Replay {
        /** Null until the stretch comes again. */
        private CUgraphExec graph;

        private long lastRun;
    }

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
        runs++;
        Replay replay = replays.get(stretch);
        if (replay == null) {
            launch(stretch);
            // Only now: a run that lacked memory has left it to be taken by the next one.
            remember(stretch);
            return;
        }
        replay.lastRun = runs;
        if (replay.graph == null) replay.graph = capture(stretch);
        if (replay.graph == null) {
            launch(stretch);
            return;
        }
        context.counters().graphs++;
        context.calls()
                .driver(
                        "cuGraphLaunch",
                        () -> stretch.pass().sizes().toString(),
                        () -> JCudaDriver.cuGraphLaunch(replay.graph, context.stream()));
    }

    private void remember(Stretch stretch) {
        if (replays.size() == MOST_STRETCHES) {
            Map.Entry<Stretch, Replay> oldest = replays.entrySet().iterator().next();
            if (runs - oldest.getValue().lastRun <= FORGOTTEN) return;
            replays.remove(oldest.getKey());
            drop(oldest.getValue());
        }
        Replay replay = new Replay();
        replay.lastRun = runs;
        replays.put(stretch, replay);
    }

    private void launch(Stretch stretch) {
        Recurrence pass = stretch.pass();
        int all = pass.sizes().t();
        for (int run = 0; run < all; run++) {
            if (stretch.backward()) steps.backward(pass, pass.step(all - 1 - run));
            else steps.forward(pass, pass.step(run));
        }
    }

    /** Null where the device has no memory for a graph; nothing has run then. */
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
        } catch (CudaCallException failure) {
            if (calls.poisoned()) throw failure;
            return null;
        } finally {
            destroy(graph);
        }
        return ready;
    }

    private static void destroy(CUgraph graph) {
        CudaCalls.driverStatus(() -> JCudaDriver.cuGraphDestroy(graph));
    }

    /** A graph that still runs is freed when it has run. */
    private void drop(Replay replay) {
        if (replay.graph == null) return;
        context.calls().driver("cuGraphExecDestroy", () -> JCudaDriver.cuGraphExecDestroy(replay.graph));
    }

    @Override
    public void close() {
        for (Replay replay : replays.values()) {
            if (replay.graph != null) CudaCalls.driverStatus(() -> JCudaDriver.cuGraphExecDestroy(replay.graph));
        }
    }
}
