package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What only this backend promises: the number of threads changes no bit. */
class CpuBackendTest {
    /** N and H: threads share the rows, also with room for more columns; the columns, where one thread takes the rows. */
    private static final int[][] LAYERS = {{50, 150}, {16, 100}, {9, 172}, {5, 300}, {3, 260}};

    private static final int T = 7;
    private static final int D = 65;
    private static final int M = 70_001;

    static Stream<Supplier<Gemm>> products() {
        return Stream.of(Gemms::open, OpenBlasGemm::new, () -> new JavaGemm("for this test"));
    }

    @ParameterizedTest
    @MethodSource("products")
    void givesTheSameBitsForAnyNumberOfThreads(Supplier<Gemm> gemm) {
        for (int[] layer : LAYERS) {
            List<float[]> one = run(gemm.get(), 1, layer[0], layer[1]);
            List<float[]> three = run(gemm.get(), 3, layer[0], layer[1]);
            assertEquals(one.size(), three.size());
            for (int i = 0; i < one.size(); i++) {
                assertArrayEquals(one.get(i), three.get(i), "result " + i + " for H = " + layer[1]);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("products")
    void takesALayerWithoutNodes(Supplier<Gemm> gemm) {
        assertEquals(0, run(gemm.get(), 2, 4, 0).get(0).length);
    }

    private static List<float[]> run(Gemm gemm, int threads, int n, int nodes) {
        Random random = new Random(5);
        List<Tensor> results = new ArrayList<>();
        try (Backend backend = new CpuBackend(gemm, threads);
                IntTensor mask = backend.allocateInts(Shape.of(T, n))) {
            mask.set(random.ints((long) T * n, 0, 3).toArray());
            SimpleRnnWeights weights = weights(backend, random, nodes);
            SimpleRnnWeights gradients = weights(backend, random, nodes);
            Tensor x = noise(backend, random, T, n, D);
            Tensor h = noise(backend, random, T + 1, n, nodes);
            Tensor dh = noise(backend, random, T + 1, n, nodes);
            Tensor dx = backend.allocate(x.shape());
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, true, mask);
            backend.simpleRnnForward(weights, pass, x, h);
            backend.simpleRnnBackward(weights, pass, x, h, dh, dx, gradients);

            Tensor long1 = noise(backend, random, M, 5);
            Tensor long2 = noise(backend, random, M, 3);
            Tensor w = noise(backend, random, 5, 3);
            Tensor dw = noise(backend, random, 5, 3);
            Tensor db = noise(backend, random, 3);
            Tensor norm = backend.allocate(Shape.of(1));
            backend.denseBackward(long1, w, long2, null, dw, db);
            backend.clipGlobalNorm(long1, 1, norm);

            results.addAll(List.of(h, dh, dx, gradients.wx(), gradients.wh(), gradients.b()));
            results.addAll(List.of(dw, db, norm, long1));
            List<float[]> values = results.stream().map(Tensor::toFloats).toList();
            Stream.of(weights.wx(), weights.wh(), weights.b(), x, long2, w).forEach(Tensor::close);
            results.forEach(Tensor::close);
            return values;
        }
    }

    private static SimpleRnnWeights weights(Backend backend, Random random, int nodes) {
        return new SimpleRnnWeights(
                noise(backend, random, D, nodes), noise(backend, random, nodes, nodes), noise(backend, random, nodes));
    }

    private static Tensor noise(Backend backend, Random random, int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        tensor.set(random.doubles(tensor.shape().size(), -0.1, 0.1).toArray());
        return tensor;
    }
}
