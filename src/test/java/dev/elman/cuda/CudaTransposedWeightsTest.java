package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights as their transposes: the same numbers, made anew in every pass, and only where they pay. */
@Tag("cuda")
class CudaTransposedWeightsTest {
    private static final int STEPS = 16;
    private static final int INPUTS = 40;
    private static final int HIDDEN = 35;
    private static final int FEWEST = TransposedWeights.FEWEST_ROWS / STEPS;

    private final Random random = new Random(2);

    /** Whole tiles of 32 x 32, parts of them, and nothing. */
    @ParameterizedTest
    @CsvSource({"1, 1", "32, 32", "33, 70", "64, 31", "5, 200", "0, 3", "3, 0"})
    void aTranspose(int rows, int columns) {
        try (CudaBackend cuda = open("tf32=true");
                Tensor x = cuda.allocate(Shape.of(rows, columns));
                Tensor y = cuda.allocate(Shape.of(columns, rows))) {
            float[] values = numbers(rows * columns);
            x.set(values);
            TransposedWeights transposed = new TransposedWeights(cuda.context(), cuda.kernels(), true);
            long address = transposed.of(DeviceArray.address(cuda.context(), x), rows, columns);
            new Elementwise(cuda.context(), cuda.kernels())
                    .copy(address, DeviceArray.address(cuda.context(), y), (long) rows * columns);
            float[] expected = new float[values.length];
            for (int i = 0; i < values.length; i++) expected[i % columns * rows + i / columns] = values[i];
            assertArrayEquals(expected, y.toFloats());
        }
    }

    /** Wx and Wh are transposed in TF32 from so many rows on, and never where a step alone promises the bits of the whole. */
    @Test
    void onlyWhereTheyPay() {
        assertEquals(2, launches(FEWEST, true, false) - launches(FEWEST - 1, true, false));
        assertEquals(0, launches(FEWEST, false, false) - launches(FEWEST - 1, false, false));
        assertEquals(0, launches(FEWEST, true, true) - launches(FEWEST - 1, true, true));
    }

    /** A grid has no more tiles in a column: 8 GiB of x in a sequence that has rows enough. */
    @Test
    void notOfMoreRowsThanAGridIsHigh() {
        TransposedWeights transposed = new TransposedWeights(null, null, true);
        assertTrue(transposed.pay(TransposedWeights.FEWEST_ROWS, 32 * 65_535));
        assertFalse(transposed.pay(TransposedWeights.FEWEST_ROWS, 32 * 65_535 + 1));
    }

    private long launches(int rows, boolean tf32, boolean byStep) {
        try (CudaBackend cuda = open("plan=steps", "tf32=" + tf32, "projectByStep=" + byStep);
                Layer layer = new Layer(cuda, rows)) {
            long before = cuda.context().counters().launches;
            layer.forward();
            return cuda.context().counters().launches - before;
        }
    }

    /** A graph that was captured with them finds those of its pass. To the last bit of TF32, of which a state may have another. */
    @ParameterizedTest
    @CsvSource({"steps", "graph", "block"})
    void theSameNumbers(String plan) {
        try (CudaBackend cuda = open("tf32=true", "plan=" + plan);
                Layer with = new Layer(cuda, FEWEST);
                Layer without = new Layer(cuda, FEWEST - 1)) {
            for (int pass = 0; pass < 3; pass++) {
                float[] wx = numbers(INPUTS * HIDDEN);
                float[] wh = numbers(HIDDEN * HIDDEN);
                with.set(wx, wh);
                without.set(wx, wh);
                float[] expected = without.forward();
                float[] given = with.forward();
                for (int slot = 0; slot <= STEPS; slot++) {
                    for (int i = 0; i < (FEWEST - 1) * HIDDEN; i++) {
                        assertEquals(
                                expected[slot * (FEWEST - 1) * HIDDEN + i],
                                given[slot * FEWEST * HIDDEN + i],
                                2e-3f,
                                plan + ", pass " + pass + ", slot " + slot + ", element " + i);
                    }
                }
            }
        }
    }

    /** Both directions of a layer in one call, whose weights take turns in the same memory; by a graph the third time. */
    @ParameterizedTest
    @CsvSource({"steps", "graph", "block"})
    void eachDirectionHasItsOwn(String plan) {
        try (CudaBackend cuda = open("tf32=true", "plan=" + plan);
                Layer one = new Layer(cuda, FEWEST);
                Layer other = new Layer(cuda, FEWEST);
                Layer alone = new Layer(cuda, FEWEST)) {
            for (int pass = 0; pass < 3; pass++) {
                one.set(numbers(INPUTS * HIDDEN), numbers(HIDDEN * HIDDEN));
                other.set(numbers(INPUTS * HIDDEN), numbers(HIDDEN * HIDDEN));
                cuda.bidirectionalForward(one.operands(STEPS, false), other.operands(STEPS, true));
                for (Layer direction : List.of(one, other)) {
                    alone.set(direction.wx.toFloats(), direction.wh.toFloats());
                    cuda.fill(alone.states, 0.1f);
                    cuda.simpleRnnForward(alone.operands(STEPS, direction == other));
                    assertArrayEquals(alone.states.toFloats(), direction.states.toFloats(), plan + ", pass " + pass);
                }
            }
        }
    }

    /** cuBLAS has other kernels for them, which it may not load while a stream captures. */
    @Test
    void aGraphIsCapturedWhereTheirProductsHaveRun() {
        try (CudaBackend cuda = open("tf32=true", "plan=graph");
                Layer layer = new Layer(cuda, FEWEST)) {
            CudaContext.Counters counters = cuda.context().counters();
            layer.forward(STEPS / 2);
            layer.forward(STEPS);
            assertEquals(0, counters.captures);
            layer.forward(STEPS);
            assertEquals(1, counters.captures);
        }
    }

    private static CudaBackend open(String... chosen) {
        return Required.open("cuda", () -> CudaBackend.open(Settings.of(chosen)));
    }

    private float[] numbers(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = (float) (random.nextGaussian() * 0.1);
        return values;
    }

    /** The same x for the rows that two of them share. */
    private static final class Layer implements AutoCloseable {
        private final CudaBackend cuda;
        private final Tensor wx;
        private final Tensor wh;
        private final Tensor x;
        private final Tensor states;

        Layer(CudaBackend cuda, int rows) {
            this.cuda = cuda;
            wx = cuda.allocate(Shape.of(INPUTS, HIDDEN));
            wh = cuda.allocate(Shape.of(HIDDEN, HIDDEN));
            x = cuda.allocate(Shape.of(STEPS, rows, INPUTS));
            states = cuda.allocate(Shape.of(STEPS + 1, rows, HIDDEN));
            float[] values = new float[STEPS * rows * INPUTS];
            for (int i = 0; i < values.length; i++) {
                int row = i / INPUTS % rows;
                int step = i / INPUTS / rows;
                values[i] = (float) Math.sin(i % INPUTS + 3 * row + 7 * step);
            }
            x.set(values);
            cuda.fill(states, 0.1f);
        }

        void set(float[] newWx, float[] newWh) {
            wx.set(newWx);
            wh.set(newWh);
        }

        float[] forward() {
            forward(STEPS);
            return states.toFloats();
        }

        /** The first steps alone. */
        void forward(int steps) {
            cuda.simpleRnnForward(operands(steps, false));
        }

        SimpleRnnForward operands(int steps, boolean reverse) {
            int rows = x.shape().extent(1);
            return new SimpleRnnForward(
                    new SimpleRnnWeights(wx, wh, null),
                    new SimpleRnnPass(Activation.TANH, reverse, null),
                    x.view(0, Shape.of(steps, rows, INPUTS)),
                    states.view(0, Shape.of(steps + 1, rows, HIDDEN)));
        }

        @Override
        public void close() {
            for (Tensor tensor : new Tensor[] {wx, wh, x, states}) tensor.close();
        }
    }
}
