package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Replayed graphs give the bits of plain steps, from few calls, and never from a graph of other addresses. */
@Tag("cuda")
class CudaGraphTest {
    private static final int N = 3;
    private static final int D = 2;
    private static final int H = 8;

    private CudaBackend steps;
    private CudaBackend graphs;

    @BeforeEach
    void open() {
        steps = Required.open("cuda", () -> CudaBackend.open(Settings.of("plan=steps")));
        graphs = Required.open("cuda", () -> CudaBackend.open(Settings.of("plan=graph")));
    }

    @AfterEach
    void close() {
        if (graphs == null) return;
        assertEquals(0, steps.liveTensors());
        assertEquals(0, graphs.liveTensors());
        steps.close();
        graphs.close();
    }

    private static CudaContext.Counters counters(CudaBackend backend) {
        return backend.context().counters();
    }

    @ParameterizedTest
    @CsvSource({"1, false", "2, true", "7, false", "7, true", "64, false", "65, true", "150, true"})
    void theFirstRunAndTheReplaysHaveTheBitsOfPlainSteps(int t, boolean reverse) {
        try (Pass plain = new Pass(steps, t, reverse);
                Pass replayed = new Pass(graphs, t, reverse)) {
            float[] expected = plain.run();
            for (int run = 0; run < 3; run++) {
                assertArrayEquals(expected, replayed.run(), "run " + run);
            }
        }
    }

    /** A call drops what its own seed says, though the graph was captured in a call with another. */
    @ParameterizedTest
    @CsvSource({"1, false", "9, true", "70, false", "70, true"})
    void aGraphDropsWhatThisCallSays(int t, boolean reverse) {
        List<Dropout> calls = List.of(
                new Dropout(.4, 7, 0, true),
                new Dropout(.4, 8, 0, true),
                new Dropout(.7, 8, 5, true),
                new Dropout(.4, 7, 0, true));
        try (Pass plain = new Pass(steps, t, reverse);
                Pass replayed = new Pass(graphs, t, reverse)) {
            plain.run();
            replayed.run();
            long replays = counters(graphs).graphs;
            long captures = 0;
            List<float[]> given = new ArrayList<>();
            for (Dropout dropout : calls) {
                given.add(replayed.run(dropout));
                assertArrayEquals(plain.run(dropout), given.get(given.size() - 1), dropout.toString());
                if (given.size() == 2) captures = counters(graphs).captures;
            }
            assertFalse(Arrays.equals(given.get(0), given.get(1)));
            assertArrayEquals(given.get(0), given.get(3));
            assertEquals(captures, counters(graphs).captures, "the graphs of the second call serve the others");
            assertTrue(counters(graphs).graphs > replays);
            // And no graph with dropout runs for a call without, nor the other way round.
            assertArrayEquals(plain.run(), replayed.run());
            assertArrayEquals(plain.run(calls.get(2)), replayed.run(calls.get(2)));
        }
    }

    /** Wider rows move the factors; what was captured over the old ones is not run again. */
    @Test
    void factorsThatMovedAreCapturedAnew() {
        Dropout dropout = new Dropout(.4, 7, 0, true);
        try (Pass plain = new Pass(steps, 9, false);
                Pass narrow = new Pass(graphs, 9, false);
                Pass wide = new Pass(graphs, 9, false, 40);
                Pass plainWide = new Pass(steps, 9, false, 40)) {
            float[] expected = plain.run(dropout);
            float[] expectedWide = plainWide.run(dropout);
            for (int run = 0; run < 3; run++) assertArrayEquals(expected, narrow.run(dropout), "run " + run);
            for (int run = 0; run < 3; run++) {
                assertArrayEquals(expectedWide, wide.run(dropout), "run " + run);
                assertArrayEquals(expected, narrow.run(dropout), "run " + run);
            }
        }
    }

    /** The parts of split operands lie where captured graphs find them, whatever is multiplied in between. */
    @Test
    void productsOfSplitOperandsAreReplayed() {
        try (CudaBackend stepping = CudaBackend.open(Settings.of("split=all", "plan=steps"));
                CudaBackend replaying = CudaBackend.open(Settings.of("split=all", "plan=graph"));
                Pass plain = new Pass(stepping, 70, false);
                Pass replayed = new Pass(replaying, 70, false);
                Pass wide = new Pass(replaying, 9, false, 40)) {
            float[] expected = plain.run();
            long taken = 0;
            for (int run = 0; run < 3; run++) {
                assertArrayEquals(expected, replayed.run(), "run " + run);
                wide.run();
                if (run > 0) assertEquals(taken, counters(replaying).allocations);
                taken = counters(replaying).allocations;
            }
            assertTrue(counters(replaying).graphs > 0);
        }
    }

    /**
     * Split operands take their memory in the first product, which a capture could not: 128 MiB of their own, then 32 of a second
     * handle of cuBLAS.
     */
    @ParameterizedTest
    @Tag("provokes-cuda-error")
    @ValueSource(longs = {100, 150})
    void aFirstRunThatLackedMemoryRunsPlainlyAgain(long mebibytes) {
        try (CudaBackend backend = CudaBackend.open(Settings.of("split=all", "plan=graph"));
                Tensor wx = backend.allocate(Shape.of(0, H));
                Tensor wh = backend.allocate(Shape.of(H, H));
                Tensor x = backend.allocate(Shape.of(16, N, 0));
                Tensor h = backend.allocate(Shape.of(17, N, H))) {
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, null);
            SimpleRnnForward forward = new SimpleRnnForward(new SimpleRnnWeights(wx, wh, null), pass, x, h);
            DeviceMemory rest =
                    new DeviceMemory(backend.context(), CudaMemoryTest.freeBytes(backend) - (mebibytes << 20));
            for (int i = 0; i < 2; i++) {
                IllegalStateException refused =
                        assertThrows(IllegalStateException.class, () -> backend.simpleRnnForward(forward));
                assertTrue(refused.getMessage().contains("CUDA_ERROR_OUT_OF_MEMORY"), refused.getMessage());
            }
            rest.close();
            for (int i = 0; i < 3; i++) backend.simpleRnnForward(forward);
            assertEquals(2, counters(backend).graphs);
        }
    }

    /** What comes once costs no capture: each stretch runs plainly first, forward and back. */
    @Test
    void aStretchIsCapturedWhenItComesAgain() {
        try (Pass plain = new Pass(steps, 11, false);
                Pass pass = new Pass(graphs, 11, false)) {
            float[] expected = plain.run();
            long[] captures = {0, 2 * 3, 2 * 3}; // eight steps, two and one
            for (long expectedCaptures : captures) {
                assertArrayEquals(expected, pass.run());
                assertEquals(expectedCaptures, counters(graphs).captures);
            }
            assertEquals(2 * 2 * 3, counters(graphs).graphs);
        }
    }

    /** A graph that the device has no memory for is done without. */
    @Test
    @Tag("provokes-cuda-error")
    void aGraphThatLacksMemoryIsNoLoss() {
        try (Pass plain = new Pass(steps, 16, false);
                Pass pass = new Pass(graphs, 16, false)) {
            float[] expected = plain.run();
            assertArrayEquals(expected, pass.run());
            DeviceMemory rest = new DeviceMemory(graphs.context(), CudaMemoryTest.freeBytes(graphs));
            assertArrayEquals(expected, pass.run());
            // A GPU's driver may have kept some.
            boolean software = graphs.description().contains("software device");
            assertTrue(counters(graphs).graphs == 0 || !software);
            rest.close();
            assertArrayEquals(expected, pass.run());
            assertArrayEquals(expected, pass.run());
            assertTrue(counters(graphs).graphs > 0);
        }
    }

    /** While it makes a product another thread of the same context takes memory and gives it back. */
    private static final class Interrupted extends BlasAround {
        private final CUcontext current = new CUcontext();
        private final Set<String> statuses = ConcurrentHashMap.newKeySet();

        Interrupted(Blas inner) {
            super(inner);
            JCudaDriver.cuCtxGetCurrent(current);
        }

        @Override
        void product(Form form, boolean add, long a, long b, long c, long m, long n, long k) {
            CompletableFuture.runAsync(() -> {
                        CUdeviceptr memory = new CUdeviceptr();
                        JCudaDriver.cuCtxSetCurrent(current);
                        statuses.add(CUresult.stringFor(JCudaDriver.cuMemAlloc(memory, 64)));
                        statuses.add(CUresult.stringFor(JCudaDriver.cuMemFree(memory)));
                    })
                    .join();
            super.product(form, add, a, b, c, m, n, k);
        }
    }

    @Test
    void aCaptureAndOtherThreadsDoNotHinderEachOther() {
        CudaContext context = graphs.context();
        KernelModule kernels = graphs.kernels();
        Interrupted products = new Interrupted(graphs.blas);
        TransposedWeights never = new TransposedWeights(context, kernels, false);
        LiveRows live = new LiveRows(context, kernels, graphs.blas, false);
        InputProjection projection = new InputProjection(graphs.blas, live, false, never);
        GraphPlan plan = new GraphPlan(
                context,
                new StepsPlan(kernels, products, projection, new Elementwise(context, kernels), never),
                projection);
        try (Pass pass = new Pass(graphs, 8, false);
                Pass plain = new Pass(steps, 8, false)) {
            for (int run = 0; run < 2; run++) plan.forward(List.of(pass.recurrence(8)));
            assertEquals(1, counters(graphs).captures);
            assertEquals(Set.of("CUDA_SUCCESS"), products.statuses);
            assertArrayEquals(plain.forward(8), pass.h.toFloats());
        }
        plan.close();
    }

    /** 150 steps are 64, 64, 16, 4 and 2; from the second run on Java makes one call for each. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReplayIsOneCallForUpToSixtyFourStepsAndTakesNoMemory(boolean dropped) {
        Dropout dropout = dropped ? new Dropout(.4, 7, 0, true) : null;
        try (Pass pass = new Pass(graphs, 150, false)) {
            pass.run(dropout);
            pass.run(dropout);
            long launches = counters(graphs).launches;
            long products = counters(graphs).products;
            long replays = counters(graphs).graphs;
            long allocations = counters(graphs).allocations;
            pass.run(dropout);
            assertEquals(2 * 5, counters(graphs).graphs - replays);
            // db's sum, in two levels. With dropout: twice the factors, the first state, the last gradient, all states.
            assertEquals(dropped ? 2 + 5 : 2, counters(graphs).launches - launches);
            // The projections, and the three gradients that are one product over all steps.
            assertEquals(1 + 3, counters(graphs).products - products);
            assertEquals(allocations, counters(graphs).allocations);
        }
    }

    /** Shorter sequences in the same memory find the graphs of the steps that they share with the longer. */
    @Test
    void aShorterSequenceUsesTheGraphsOfALongerOne() {
        try (Pass pass = new Pass(graphs, 150, false)) {
            pass.run();
            pass.run();
            long products = counters(graphs).products;
            float[] shorter = pass.forward(128 + 16);
            assertEquals(1, counters(graphs).products - products, "the projections only");
            try (Pass plain = new Pass(steps, 150, false)) {
                plain.run();
                plain.run();
                assertArrayEquals(plain.forward(128 + 16), shorter);
            }
        }
    }

    @Test
    void otherAddressesAreCapturedAnew() {
        try (Pass first = new Pass(graphs, 9, false);
                Pass second = new Pass(graphs, 9, false);
                Pass plain = new Pass(steps, 9, false)) {
            float[] expected = plain.run();
            for (int run = 0; run < 2; run++) {
                assertArrayEquals(expected, first.run());
                assertArrayEquals(expected, second.run());
            }
        }
    }

    /** A bias elsewhere makes a graph of its own. Some more than there is place for come round and round, and most are replayed. */
    @Test
    void aLittleTooManyStretchesKeepTheirGraphs() {
        int places = GraphPlan.MOST_STRETCHES;
        try (Pass pass = new Pass(graphs, 1, false);
                Tensor biases = graphs.allocate(Shape.of(4 * (places + 3) + H))) {
            for (int round = 1; round <= 4; round++) {
                for (int i = 0; i < places + 3; i++) pass.forward(1, biases.view(4L * i, Shape.of(H)));
                assertEquals(round == 1 ? 0 : places, counters(graphs).captures);
                assertEquals((round - 1L) * places, counters(graphs).graphs);
            }
        }
    }

    /** What did not come again for long gives its place to what is new. */
    @Test
    void whatIsForgottenGoes() {
        int places = GraphPlan.MOST_STRETCHES;
        try (Pass pass = new Pass(graphs, 1, false);
                Tensor biases = graphs.allocate(Shape.of(4 * (places + 1) + H))) {
            for (int round = 1; round <= 2; round++) {
                for (int i = 0; i < places; i++) pass.forward(1, biases.view(4L * i, Shape.of(H)));
            }
            // The first one comes again, so the second one was used before the 255 others; the new one runs plainly
            // until it takes that place, and once more.
            pass.forward(1, biases.view(0, Shape.of(H)));
            Tensor late = biases.view(4L * places, Shape.of(H));
            int plainly = GraphPlan.FORGOTTEN - (places - 1) + 1;
            for (int run = 1; run <= plainly + 1; run++) {
                assertEquals(places, counters(graphs).captures, "run " + run);
                pass.forward(1, late);
            }
            assertEquals(places + 1, counters(graphs).captures);
            long replays = counters(graphs).graphs;
            for (int kept : new int[] {0, 2}) pass.forward(1, biases.view(4L * kept, Shape.of(H)));
            assertEquals(replays + 2, counters(graphs).graphs, "the first and the third are still there");
            pass.forward(1, biases.view(4L, Shape.of(H)));
            assertEquals(replays + 2, counters(graphs).graphs, "the second is not");
        }
    }

    @Test
    void thePlannerTakesGraphsForLongSequencesAndSaysWhy() {
        try (CudaBackend backend = CudaBackend.open()) {
            String longer = backend.recurrence(256, 512, 2048, 2048, 1, false).plan();
            assertEquals("graph", longer);
            assertEquals(
                    "steps", backend.recurrence(256, 1, 2048, 2048, 1, false).plan());
            String reason = backend.recurrence(256, 1, 2048, 2048, 1, false).reason();
            assertTrue(reason.contains("not graph: T = 1 is below 8"), reason);
        }
    }

    /** One layer's tensors with the same numbers on every backend, and passes over them. */
    private static final class Pass implements AutoCloseable {
        private final CudaBackend backend;
        private final Random random = new Random(5);
        private final List<Tensor> tensors = new ArrayList<>();
        private final SimpleRnnWeights weights;
        private final SimpleRnnWeights gradients;
        private final boolean reverse;
        private final IntTensor mask;
        private final Tensor x;
        private final Tensor h;
        private final Tensor dh;
        private final Tensor dx;
        private final float[] upstream;

        Pass(CudaBackend backend, int t, boolean reverse) {
            this(backend, t, reverse, H);
        }

        Pass(CudaBackend backend, int t, boolean reverse, int hidden) {
            this.backend = backend;
            this.reverse = reverse;
            weights = new SimpleRnnWeights(floats(D, hidden), floats(hidden, hidden), floats(hidden));
            gradients = new SimpleRnnWeights(floats(D, hidden), floats(hidden, hidden), floats(hidden));
            x = floats(t, N, D);
            h = floats(t + 1, N, hidden);
            dh = floats(t + 1, N, hidden);
            dx = floats(t, N, D);
            upstream = dh.toFloats();
            mask = backend.allocateInts(Shape.of(t, N));
            mask.set(random.ints((long) t * N, 0, 4).toArray());
        }

        private Tensor floats(int... extents) {
            Tensor tensor = backend.allocate(Shape.of(extents));
            float[] values = new float[Math.toIntExact(tensor.shape().size())];
            for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian() * 0.3f;
            tensor.set(values);
            tensors.add(tensor);
            return tensor;
        }

        /** Forward and back over all steps, from the same gradients: everything that was written. */
        float[] run() {
            return run(null);
        }

        float[] run(Dropout recurrentDropout) {
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, reverse, mask, recurrentDropout);
            dh.set(upstream);
            for (Tensor sum : List.of(gradients.wx(), gradients.wh(), gradients.b())) backend.fill(sum, 0);
            SimpleRnnForward forward = new SimpleRnnForward(weights, pass, x, h);
            backend.simpleRnnForward(forward);
            backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, dx, gradients));
            float[] all = new float[0];
            for (Tensor tensor : tensors) {
                float[] values = tensor.toFloats();
                int length = all.length;
                all = Arrays.copyOf(all, length + values.length);
                System.arraycopy(values, 0, all, length, values.length);
            }
            return all;
        }

        /** Forward over the first steps: their states. */
        float[] forward(int steps) {
            return forward(steps, weights.b());
        }

        float[] forward(int steps, Tensor bias) {
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, reverse, mask.view(0, Shape.of(steps, N)));
            SimpleRnnWeights changed = new SimpleRnnWeights(weights.wx(), weights.wh(), bias);
            Tensor states = h.slice(0, steps + 1);
            backend.simpleRnnForward(new SimpleRnnForward(changed, pass, x.slice(0, steps), states));
            return states.toFloats();
        }

        /** Forward over all steps. */
        Recurrence recurrence(int steps) {
            return new Recurrence(
                    new Operands.Rnn(N, steps, D, H),
                    Activation.TANH,
                    reverse,
                    backend.in(mask),
                    0,
                    backend.in(weights.wx()),
                    backend.in(weights.wh()),
                    0,
                    backend.in(weights.b()),
                    backend.in(x),
                    backend.in(h),
                    0);
        }

        @Override
        public void close() {
            mask.close();
            tensors.forEach(Tensor::close);
        }
    }
}
