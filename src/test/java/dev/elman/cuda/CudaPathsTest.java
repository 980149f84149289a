package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ways through the kernels that the contract's shapes need not take: four numbers at a time where all is aligned, lists
 * longer than a tile, rows longer than a block, more blocks than threads. Each against the reference.
 */
@Tag("cuda")
class CudaPathsTest {
    private static final double TOLERANCE = 2e-5;

    private CudaBackend cuda;
    private Backend reference;

    @BeforeEach
    void open() {
        // The recurrence's own plans of one launch have a test of their own.
        cuda = Required.open("cuda", () -> CudaBackend.open(Settings.of("plan=steps")));
        reference = new ReferenceBackend();
    }

    @AfterEach
    void close() {
        if (cuda == null) return;
        assertEquals(0, cuda.liveTensors());
        cuda.close();
        reference.close();
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void aRecurrenceFourColumnsAtATime(Activation activation) {
        recurrence(activation, null);
        recurrence(activation, new Dropout(.4, 0x123456789abcdefL, 4, true));
    }

    private void recurrence(Activation activation, Dropout recurrentDropout) {
        same(run -> {
            int t = 4;
            int n = 5;
            int d = 8;
            int h = 12;
            SimpleRnnWeights weights = run.weights(d, h);
            SimpleRnnWeights gradients = run.weights(d, h);
            SimpleRnnPass pass = new SimpleRnnPass(activation, false, run.ints(t * n, 3, t, n), recurrentDropout);
            Tensor x = run.floats(t, n, d);
            Tensor states = run.floats(t + 1, n, h);
            Tensor dStates = run.floats(t + 1, n, h);
            Tensor dx = run.floats(t, n, d);
            SimpleRnnForward forward = new SimpleRnnForward(weights, pass, x, states);
            run.backend.simpleRnnForward(forward);
            run.backend.simpleRnnBackward(new SimpleRnnBackward(forward, dStates, dx, gradients));
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 64, 65, 512, 513, 1700})
    void anEmbeddingWithRunsOfAllLengths(int positions) {
        same(run -> {
            // Half of the positions name one row, so that its run crosses many chunks.
            int[] ids = run.random
                    .ints(positions, -20, 20)
                    .map(id -> Math.max(id, 0))
                    .toArray();
            IntTensor index = run.keep(run.backend.allocateInts(Shape.of(positions)));
            index.set(ids);
            Tensor table = run.floats(20, 8);
            Tensor y = run.floats(positions, 8);
            run.backend.embeddingForward(table, index, y);
            run.backend.embeddingBackward(index, run.floats(positions, 8), run.floats(20, 8));
        });
    }

    /** On which its bits depend, and on a GPU that no two threads add to one row. */
    @Test
    void anEmbeddingAddsInTheOrderOfThePositions() {
        try (Run run = new Run(cuda)) {
            IntTensor index = run.ints(64, 5, 64);
            int[] ids = index.toInts();
            Tensor dy = run.floats(64, 1);
            Tensor dTable = run.floats(5, 1);
            float[] expected = dTable.toFloats();
            float[] sums = new float[5];
            for (int i = 0; i < 64; i++) sums[ids[i]] += dy.toFloats()[i];
            for (int id = 0; id < 5; id++) expected[id] += sums[id];
            cuda.embeddingBackward(index, dy, dTable);
            assertArrayEquals(expected, dTable.toFloats());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 200, 3000})
    void rowsOfAllLengths(int columns) {
        same(run -> {
            Tensor logits = run.floats(7, columns);
            run.backend.softmax(logits, run.floats(7, columns));
            Tensor metrics = run.floats(2);
            IntTensor labels = run.ints(7, columns, 7);
            run.backend.softmaxCrossEntropy(logits, labels, 0.1, 0.2, metrics, logits);
        });
    }

    @Test
    void moreRowsThanThreads() {
        same(run -> {
            Tensor logits = run.floats(1500, 3);
            IntTensor labels = run.ints(1500, 3, 1500);
            run.backend.softmaxCrossEntropy(logits, labels, 0, 1 / 1500.0, run.floats(2), run.floats(1500, 3));
        });
    }

    @Test
    void aNormOfMoreBlocksThanThreads() {
        same(run -> {
            Tensor g = run.floats(1_500_001);
            run.backend.clipGlobalNorm(g, 3, run.floats(1));
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void descentFourNumbersAtATime(boolean nesterov) {
        same(run -> {
            Tensor w = run.floats(50);
            Tensor g = run.floats(50);
            run.backend.sgdStep(new SgdStep(0.1, 0.9, nesterov, 0.01), w, g, run.floats(50));
            run.backend.sgdStep(new SgdStep(0.1, 0, false, 0.01), w, g, null);
        });
    }

    @Test
    void aDenseLayerAndADropoutFourColumnsAtATime() {
        same(run -> {
            Tensor y = run.floats(6, 8);
            run.backend.denseForward(run.floats(6, 5), run.floats(5, 8), run.floats(8), y);
            run.backend.dropout(new Dropout(0.3, 0x123456789abcdefL, 4), y, run.floats(6, 8));
        });
    }

    @Test
    void biasGradientsOverManyRows() {
        same(run -> run.backend.denseBackward(
                run.floats(900, 2),
                run.floats(2, 37),
                run.floats(900, 37),
                run.floats(900, 2),
                run.floats(2, 37),
                run.floats(37)));
    }

    /** Runs the same calls with the same numbers on both backends and compares every tensor that took part. */
    private void same(Consumer<Run> calls) {
        try (Run expected = new Run(reference);
                Run given = new Run(cuda)) {
            calls.accept(expected);
            calls.accept(given);
            for (int i = 0; i < expected.floats.size(); i++) {
                double[] right = expected.floats.get(i).toDoubles();
                double[] mine = given.floats.get(i).toDoubles();
                for (int k = 0; k < right.length; k++) {
                    assertEquals(
                            right[k],
                            mine[k],
                            TOLERANCE * (1 + Math.abs(right[k])),
                            "tensor " + i + " " + expected.floats.get(i).shape() + ", element " + k);
                }
            }
        }
    }

    /** One backend's tensors, with the same random numbers on each. */
    private static final class Run implements AutoCloseable {
        private final Backend backend;
        private final Random random = new Random(7);
        private final List<Tensor> floats = new ArrayList<>();
        private final List<IntTensor> ints = new ArrayList<>();

        Run(Backend backend) {
            this.backend = backend;
        }

        Tensor floats(int... extents) {
            Tensor tensor = backend.allocate(Shape.of(extents));
            float[] values = new float[Math.toIntExact(tensor.shape().size())];
            for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian() * 0.5f;
            tensor.set(values);
            floats.add(tensor);
            return tensor;
        }

        /** Ints from 0 up to below the bound. */
        IntTensor ints(int size, int bound, int... extents) {
            IntTensor tensor = keep(backend.allocateInts(Shape.of(extents)));
            tensor.set(random.ints(size, 0, bound).toArray());
            return tensor;
        }

        IntTensor keep(IntTensor tensor) {
            ints.add(tensor);
            return tensor;
        }

        SimpleRnnWeights weights(int d, int h) {
            return new SimpleRnnWeights(floats(d, h), floats(h, h), floats(h));
        }

        @Override
        public void close() {
            floats.forEach(Tensor::close);
            ints.forEach(IntTensor::close);
        }
    }
}
