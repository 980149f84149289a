package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.elman.backend.Activation;
import dev.elman.backend.AdamStep;
import dev.elman.backend.Backend;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.reference.ReferenceBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What only this backend promises, that the number of threads changes no bit, and layers of sizes that it cuts otherwise. */
class CpuBackendTest {
    /**
     * N, T, D and H: threads share the rows; with room for more columns; three rows as four; one row after the other, over
     * several blocks of steps; the columns, where one thread takes the rows, also in uneven shares, and of large weights; Wx
     * apart; no inputs; one step; gradients summed in several parts.
     */
    private static final int[][] LAYERS = {
        {50, 7, 65, 150},
        {16, 7, 65, 100},
        {9, 7, 30, 172},
        {3, 19, 5, 48},
        {6, 40, 9, 90},
        {2, 40, 3, 120},
        {5, 19, 65, 300},
        {3, 37, 20, 400},
        {7, 19, 10, 260},
        {13, 9, 40, 304},
        {8, 5, 20, 520},
        {4, 6, 2700, 400},
        {3, 5, 0, 20},
        {2, 1, 20, 300},
        {9, 1, 9, 48},
        {64, 20, 5, 20}
    };

    private static final int VARIANTS = 8;

    private static final int M = 70_001;

    static Stream<Supplier<Gemm>> products() {
        Stream<Supplier<Gemm>> java = Stream.of(() -> new JavaGemm("for this test"));
        if (Gemms.open() instanceof JavaGemm) return java;
        return Stream.concat(java, Stream.of(Gemms::open, OpenBlasGemm::new));
    }

    @ParameterizedTest
    @MethodSource("products")
    void givesTheSameBitsForAnyNumberOfThreads(Supplier<Gemm> gemm) {
        for (int[] layer : LAYERS) {
            for (int variant = 0; variant < VARIANTS; variant++) {
                List<float[]> one = run(new CpuBackend(gemm.get(), 1), layer, variant);
                for (int threads = 2; threads <= 3; threads++) {
                    List<float[]> several = run(new CpuBackend(gemm.get(), threads), layer, variant);
                    assertEquals(one.size(), several.size());
                    for (int i = 0; i < one.size(); i++) {
                        assertArrayEquals(one.get(i), several.get(i), what(i, layer, variant) + ", threads " + threads);
                    }
                }
            }
        }
    }

    /** Also where shares are columns, for which the contract's layers are too small. */
    @Test
    void agreesWithTheReference() {
        for (int[] layer : LAYERS) {
            for (int variant = 0; variant < VARIANTS; variant++) {
                List<float[]> expected = run(new ReferenceBackend(), layer, variant);
                for (Supplier<Gemm> product : products().toList()) {
                    Gemm gemm = product.get();
                    List<float[]> given = run(new CpuBackend(gemm, 2), layer, variant);
                    for (int i = 0; i < expected.size(); i++) {
                        float largest = 1e-3f;
                        for (float value : expected.get(i)) largest = Math.max(largest, Math.abs(value));
                        String what = what(i, layer, variant) + " by " + gemm.getClass();
                        assertArrayEquals(expected.get(i), given.get(i), 1e-5f * largest, what);
                    }
                }
            }
        }
    }

    private static String what(int result, int[] layer, int variant) {
        return "result " + result + " of " + Arrays.toString(layer) + ", variant " + variant;
    }

    /** The same for what is cut into parts elsewhere. */
    @Test
    void otherResultsHaveTheSameBitsForAnyNumberOfThreads() {
        List<float[]> one = runOthers(1);
        List<float[]> three = runOthers(3);
        for (int i = 0; i < one.size(); i++) assertArrayEquals(one.get(i), three.get(i), "result " + i);
    }

    /** 0 times what is no number is none: also where a first state of zeros is not multiplied. */
    @ParameterizedTest
    @MethodSource("products")
    void whatIsNoNumberShowsBesideZeros(Supplier<Gemm> gemm) {
        SimpleRnnPass pass = new SimpleRnnPass(Activation.LINEAR, false, null);
        SplittableRandom random = new SplittableRandom(7);
        try (Backend backend = new CpuBackend(gemm.get(), 2);
                Tensor wx = noise(backend, random, 3, 40);
                Tensor wh = noise(backend, random, 40, 40);
                Tensor dWx = backend.allocate(wx.shape());
                Tensor zeros = backend.allocate(wh.shape());
                Tensor dWh = backend.allocate(wh.shape());
                Tensor x = noise(backend, random, 1, 2, 3);
                Tensor h = backend.allocate(Shape.of(2, 2, 40));
                Tensor dh = noise(backend, random, 2, 2, 40)) {
            wh.slice(5, 1).view(7, Shape.of(1)).set(Float.POSITIVE_INFINITY);
            backend.simpleRnnForward(new SimpleRnnForward(new SimpleRnnWeights(wx, wh, null), pass, x, h));
            assertFinite(h, index -> index % 40 != 7 || index < 2 * 40);

            SimpleRnnForward forward = new SimpleRnnForward(new SimpleRnnWeights(wx, zeros, null), pass, x, h);
            backend.simpleRnnForward(forward);
            dh.slice(1, 1).view(7, Shape.of(1)).set(Float.NaN);
            backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, null, new SimpleRnnWeights(dWx, dWh, null)));
            assertFinite(dWh, index -> index % 40 != 7);
        }
    }

    /** Its da is 0 whatever that state is, and the gradient goes to the state before. */
    @ParameterizedTest
    @MethodSource("products")
    void aMaskedStepWithAStateThatIsNoNumberHasNoGradient(Supplier<Gemm> gemm) {
        float[] state = new float[40];
        for (Activation activation : Activation.values()) {
            SplittableRandom random = new SplittableRandom(8);
            try (Backend backend = new CpuBackend(gemm.get(), 2);
                    IntTensor mask = backend.allocateInts(Shape.of(2, 2));
                    Tensor wx = noise(backend, random, 3, 40);
                    Tensor wh = noise(backend, random, 40, 40);
                    Tensor dWx = backend.allocate(wx.shape());
                    Tensor dWh = backend.allocate(wh.shape());
                    Tensor x = noise(backend, random, 2, 2, 3);
                    Tensor h = backend.allocate(Shape.of(3, 2, 40));
                    Tensor dh = backend.allocate(h.shape())) {
                mask.set(1, 0, 1, 0);
                Arrays.fill(state, 0, 20, Float.NaN);
                Arrays.fill(state, 20, 40, Float.POSITIVE_INFINITY);
                h.view(40, Shape.of(40)).set(state);
                backend.fill(dh, 1);
                SimpleRnnPass pass = new SimpleRnnPass(activation, false, mask);
                SimpleRnnForward forward = new SimpleRnnForward(new SimpleRnnWeights(wx, wh, null), pass, x, h);
                backend.simpleRnnForward(forward);
                backend.simpleRnnBackward(
                        new SimpleRnnBackward(forward, dh, null, new SimpleRnnWeights(dWx, dWh, null)));
                for (int slot = 0; slot <= 2; slot++) {
                    float[] gradients = dh.slice(slot, 1).view(40, Shape.of(40)).toFloats();
                    for (float gradient : gradients) assertEquals(slot == 0 ? 3 : 0, gradient, activation.toString());
                }
                assertFinite(dWx, index -> true);
            }
        }
    }

    /** Without decay of its own a gradient has no part of the weight, which may be no number. */
    @Test
    void decoupledDecayLeavesTheMomentsAlone() {
        try (Backend backend = CpuBackend.open(1);
                Tensor w = backend.allocate(Shape.of(1));
                Tensor g = backend.allocate(Shape.of(1));
                Tensor m = backend.allocate(Shape.of(1));
                Tensor v = backend.allocate(Shape.of(1))) {
            w.set(Float.POSITIVE_INFINITY);
            g.set(1f);
            backend.adamStep(new AdamStep(.1, .9, .999, 1e-8, .01, true, 1), w, g, m, v);
            assertEquals(Float.POSITIVE_INFINITY, w.toFloats()[0]);
            assertEquals(.1, m.toFloats()[0], 1e-7);
            assertEquals(.001, v.toFloats()[0], 1e-9);
        }
    }

    private static void assertFinite(Tensor tensor, IntPredicate where) {
        float[] values = tensor.toFloats();
        for (int i = 0; i < values.length; i++) assertEquals(where.test(i), Float.isFinite(values[i]), "element " + i);
    }

    @ParameterizedTest
    @MethodSource("products")
    void takesALayerWithoutNodes(Supplier<Gemm> gemm) {
        assertEquals(
                0,
                run(new CpuBackend(gemm.get(), 2), new int[] {4, 7, 65, 0}, 0).get(0).length);
    }

    /**
     * @param variant bit 0: from the last step to the first, with a mask; bit 1: with recurrent dropout, without biases; bit 2:
     *     the first state is all zeros
     */
    private static List<float[]> run(Backend opened, int[] layer, int variant) {
        try (Backend backend = opened) {
            return pass(backend, layer, variant);
        }
    }

    private static List<float[]> pass(Backend backend, int[] layer, int variant) {
        int n = layer[0];
        int t = layer[1];
        int d = layer[2];
        int nodes = layer[3];
        boolean reverse = (variant & 1) != 0;
        Dropout dropout = (variant & 2) != 0 ? new Dropout(0.3, 17, 0, true) : null;
        SplittableRandom random = new SplittableRandom(5);
        List<Tensor> results = new ArrayList<>();
        try (IntTensor mask = backend.allocateInts(Shape.of(t, n))) {
            mask.set(random.ints((long) t * n, 0, 3).toArray());
            SimpleRnnWeights weights = weights(backend, random, d, nodes, dropout == null);
            SimpleRnnWeights gradients = weights(backend, random, d, nodes, dropout == null);
            Tensor x = noise(backend, random, t, n, d);
            Tensor h = noise(backend, random, t + 1, n, nodes);
            Tensor dh = noise(backend, random, t + 1, n, nodes);
            Tensor dx = backend.allocate(x.shape());
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, reverse, reverse ? mask : null, dropout);
            if ((variant & 4) != 0) backend.fill(h.slice(pass.initialSlot(t), 1), 0);
            SimpleRnnForward forward = new SimpleRnnForward(weights, pass, x, h);
            backend.simpleRnnForward(forward);
            backend.simpleRnnForward(forward); // once more, with what the first left in its memory
            backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, dx, gradients));
            results.addAll(List.of(h, dh, dx, gradients.wx(), gradients.wh()));
            if (gradients.b() != null) results.add(gradients.b());
            List<float[]> values = results.stream().map(Tensor::toFloats).toList();
            Stream.of(weights.wx(), weights.wh(), weights.b(), x)
                    .filter(Objects::nonNull)
                    .forEach(Tensor::close);
            results.forEach(Tensor::close);
            return values;
        }
    }

    /** Of several threads, each with tensors of its own; else they would write into each other's workspace, or hang. */
    @Test
    void operationsOfSeveralThreadsWaitForEachOther() {
        Backend backend = CpuBackend.open(2);
        Callable<float[][][]> passes = () -> Stream.of(LAYERS)
                .map(layer -> pass(backend, layer, 0).toArray(float[][]::new))
                .toArray(float[][][]::new);
        assertTimeoutPreemptively(Duration.ofMinutes(2), () -> {
            float[][][] alone = passes.call();
            ExecutorService threads = Executors.newFixedThreadPool(3);
            for (Future<float[][][]> one : threads.invokeAll(Collections.nCopies(6, passes))) {
                assertArrayEquals(alone, one.get());
            }
            threads.shutdown();
        });
        assertEquals(0, backend.liveTensors());
        backend.close();
    }

    /** Else weights would be laid out while they change, and kept so. */
    @Test
    void whoSetsATensorWaitsForOperations() throws Exception {
        try (Backend backend = CpuBackend.open(1);
                Tensor w = backend.allocate(Shape.of(1))) {
            Thread setting = new Thread(() -> w.set(1f));
            synchronized (backend) { // as an operation is
                setting.start();
                while (setting.isAlive() && setting.getState() != Thread.State.BLOCKED) Thread.onSpinWait();
                assertEquals(0, w.toFloats()[0]);
            }
            setting.join();
            assertEquals(1, w.toFloats()[0]);
        }
    }

    private static List<float[]> runOthers(int threads) {
        SplittableRandom random = new SplittableRandom(6);
        try (Backend backend = CpuBackend.open(threads)) {
            Tensor long1 = noise(backend, random, M, 5);
            Tensor long2 = noise(backend, random, M, 3);
            Tensor w = noise(backend, random, 5, 3);
            Tensor dw = noise(backend, random, 5, 3);
            Tensor db = noise(backend, random, 3);
            Tensor norm = backend.allocate(Shape.of(1));
            backend.denseBackward(long1, w, long2, null, dw, db);
            backend.clipGlobalNorm(long1, 1, norm);
            List<Tensor> results = List.of(dw, db, norm, long1);
            List<float[]> values = results.stream().map(Tensor::toFloats).toList();
            Stream.of(long1, long2, w, dw, db, norm).forEach(Tensor::close);
            return values;
        }
    }

    private static SimpleRnnWeights weights(
            Backend backend, SplittableRandom random, int d, int nodes, boolean biased) {
        return new SimpleRnnWeights(
                noise(backend, random, d, nodes),
                noise(backend, random, 1 / Math.sqrt(Math.max(1, nodes)), nodes, nodes),
                biased ? noise(backend, random, nodes) : null);
    }

    private static Tensor noise(Backend backend, SplittableRandom random, int... extents) {
        return noise(backend, random, 0.1, extents);
    }

    private static Tensor noise(Backend backend, SplittableRandom random, double largest, int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        tensor.set(random.doubles(tensor.shape().size(), -largest, largest).toArray());
        return tensor;
    }
}
