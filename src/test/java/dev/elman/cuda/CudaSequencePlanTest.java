package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The recurrence in one launch, with every kernel: right, and the same bits for a row whoever its neighbours are and however
 * many rows a block has.
 */
@Tag("cuda")
class CudaSequencePlanTest {
    /** Numbers of features that a block of threads projects itself, the last being the most. */
    private static final int[] FUSED = {1, 3, 8};

    private CudaBackend cuda;
    private Backend reference;

    @BeforeEach
    void open() {
        // With products whose rows keep their bits, so that only the plan is judged.
        cuda = Required.open("cuda", () -> CudaBackend.open(Settings.of("gemm=own")));
        reference = new ReferenceBackend();
    }

    @AfterEach
    void close() {
        if (cuda == null) return;
        assertEquals(0, cuda.liveTensors());
        cuda.close();
        reference.close();
    }

    /** With as many rows as the table says, for which the kernels must have room; 2048 nodes take too long without a GPU. */
    @ParameterizedTest
    @ValueSource(ints = {64, 128, 192, 256, 384, 512, 768, 1024})
    void aGroupIsAsFullAsItCanBe(int hidden) {
        for (SequenceSize size : SequenceSize.ALL) {
            if (size.hidden() != hidden) continue;
            String plan = size.family().plan() + (size.family().rounds() ? " in TF32" : "");
            SequenceCase.assumePlan(cuda, plan, hidden);
            int rows = size.mostRows(true, false);
            SequenceCase one = new SequenceCase(cuda, plan, 2, rows, 1, hidden, Activation.TANH, false, false, true);
            one.assertAsOn(reference, one.onDevice(size.blocks(), 2, 0, rows));
        }
    }

    /** Full and padded sizes, and fewer steps than are fetched ahead; on 1000 multiprocessors a block has one row, on one as many as it can hold. */
    @ParameterizedTest
    @CsvSource({
        "block, 1, 1, 3, 1000",
        "block, 20, 5, 9, 1000",
        "block, 64, 3, 4, 1000",
        "block, 100, 2, 5, 1000",
        "block, 128, 3, 4, 1000",
        "block, 130, 2, 3, 1000",
        "block, 192, 2, 5, 1000",
        "block, 1, 9, 4, 1",
        "block, 33, 19, 7, 1",
        "block, 64, 11, 5, 1",
        "block, 65, 19, 4, 1",
        "block, 128, 6, 2, 1",
        "block, 150, 9, 3, 1",
        "block, 192, 5, 4, 1",
        "block, 60, 3, 2, 1",
        "block, 120, 2, 2, 1",
        "block, 150, 2, 2, 1",
        "cluster, 193, 2, 3, 1000",
        "cluster, 256, 3, 4, 1000",
        "cluster, 300, 2, 3, 1000",
        "cluster, 512, 2, 5, 1000",
        "cluster, 200, 9, 3, 4",
        "cluster, 256, 5, 4, 4",
        "cluster, 256, 19, 3, 2",
        "cluster, 384, 2, 3, 8",
        "cluster, 384, 3, 3, 8",
        "cluster, 380, 10, 3, 8",
        "cluster, 400, 9, 3, 8",
        "cluster, 500, 3, 3, 8",
        "cluster, 512, 5, 2, 8",
        "cluster, 512, 7, 3, 8",
        "cluster, 512, 2, 3, 8",
        "cluster, 511, 10, 3, 8",
        "grid, 40, 1, 70, 4",
        "grid, 256, 3, 9, 16",
        "grid, 250, 5, 3, 4",
        "grid, 255, 9, 20, 4",
        "grid, 250, 9, 30, 4",
        "grid, 512, 2, 3, 16",
        "grid, 300, 9, 3, 8",
        "grid, 768, 1, 3, 24",
        "grid, 700, 5, 3, 24",
        "grid, 1024, 1, 3, 32",
        "grid, 1001, 6, 3, 32",
        "grid, 1100, 1, 3, 128",
        "grid, 2048, 3, 2, 128",
        "tensor, 5, 1, 3, 4",
        "tensor, 33, 9, 20, 4",
        "tensor, 256, 19, 3, 8",
        "tensor, 250, 19, 12, 4",
        "tensor, 384, 9, 3, 16",
        "tensor, 300, 33, 3, 8",
        "tensor, 512, 11, 3, 8",
        "tensor, 768, 2, 2, 16",
        "tensor, 1001, 9, 2, 32",
        "tensor, 1100, 2, 2, 128",
        "tensor, 1100, 11, 2, 128",
        "tensor in TF32, 250, 11, 12, 4",
        "tensor in TF32, 384, 9, 3, 16",
        "tensor in TF32, 380, 19, 3, 8",
        "tensor in TF32, 500, 2, 3, 8",
        "tensor in TF32, 500, 25, 3, 8",
        "tensor in TF32, 768, 2, 2, 16",
        "tensor in TF32, 1024, 2, 2, 32",
        "tensor in TF32, 1000, 27, 2, 32",
        "tensor in TF32, 2000, 2, 2, 128",
        "tensor in TF32, 1100, 9, 2, 128",
        "tensor-cluster in TF32, 384, 3, 4, 8",
        "tensor-cluster in TF32, 512, 8, 3, 8",
        "tensor-cluster in TF32, 500, 11, 5, 36",
        "tensor-cluster in TF32, 300, 34, 4, 8",
        "tensor-cluster in TF32, 10, 1, 2, 1000",
        "tensor-cluster in TF32, 256, 8, 7, 2",
        "tensor-cluster in TF32, 200, 11, 4, 4",
        "tensor-cluster in TF32, 250, 3, 5, 1000",
        "tensor-block, 64, 8, 7, 1",
        "tensor-block, 50, 3, 9, 1000",
        "tensor-block, 65, 19, 4, 2",
        "tensor-block, 128, 9, 5, 1",
        "tensor-block in TF32, 64, 17, 4, 1",
        "tensor-block in TF32, 100, 8, 7, 1",
        "tensor-block in TF32, 192, 11, 4, 1",
        "tensor-block in TF32, 130, 2, 5, 1000"
    })
    void asTheReference(String plan, int hidden, int rows, int steps, int multiprocessors) {
        SequenceCase.assumePlan(cuda, plan, hidden);
        // A large one takes seconds on the software device: each function is masked or not by turns.
        boolean software = cuda.description().contains("software device");
        boolean byTurns = software && hidden > 256;
        boolean maskedNext = rows % 2 == 0;
        int turn = hidden;
        for (Activation activation : Activation.values()) {
            // Nor is there time for all functions.
            if (software && hidden > 1000 && activation == Activation.LINEAR) continue;
            maskedNext = !maskedNext;
            for (boolean masked : byTurns ? new boolean[] {maskedNext} : new boolean[] {false, true}) {
                boolean reverse = turn / 2 % 2 == 0;
                boolean biased = masked || turn % 4 != 0;
                boolean dropped = turn % 3 == 0;
                for (int inputs : inputs(plan, turn++ / 2)) {
                    SequenceCase one = new SequenceCase(
                            cuda, plan, steps, rows, inputs, hidden, activation, reverse, masked, biased);
                    if (dropped) one.drop(multiprocessors);
                    // Rounding takes a state across 0, where the derivative jumps.
                    if (one.tf32() && activation == Activation.RELU) continue;
                    one.assertAsOn(reference, one.onDevice(multiprocessors, steps, 0, rows));
                }
            }
        }
    }

    /** Kernels of whole sequences have a tanh of ours; that of `steps` is CUDA's. From no other state comes anything. */
    @ParameterizedTest
    @ValueSource(
            strings = {"block", "cluster", "grid", "tensor-block", "tensor", "tensor in TF32", "tensor-cluster in TF32"
            })
    void tanhIsCudasBitByBit(String plan) {
        SequenceCase.assumePlan(cuda, plan, 64);
        int rows = 67;
        SequenceCase ours = tanhOf(plan, rows);
        float[] given = ours.onDevice(8, 1, 0, rows).get(0);
        double[] right;
        try (CudaBackend steps = CudaBackend.open(Settings.of("gemm=own", "plan=steps"))) {
            right = ours.onReference(steps).get(0);
        }
        for (int i = 0; i < right.length; i++) {
            assertEquals(
                    Float.floatToIntBits((float) right[i]),
                    Float.floatToIntBits(given[i]),
                    "row " + i / 64 % rows + ", " + right[i]);
        }
        Set<Integer> exponents = new HashSet<>();
        for (float each : given) exponents.add(Math.getExponent(each));
        assertTrue(exponents.size() > 60, exponents + " are few");
    }

    /** Of numbers of all sizes in one step, without recurrence. */
    private SequenceCase tanhOf(String plan, int rows) {
        int inputs = 9; // more than a block projects itself
        SequenceCase one = new SequenceCase(cuda, plan, 1, rows, inputs, 64, Activation.TANH, false, false, false);
        Arrays.fill(one.wh, 0);
        Arrays.fill(one.x, 0);
        for (int row = 0; row < rows; row++) {
            one.x[row * inputs] = row == 0
                    ? Float.NaN
                    : row == 1
                            ? Float.POSITIVE_INFINITY
                            : Math.scalb(row % 2 == 0 ? 1f : -0.7f, row < 40 ? row - 32 : 2 * (row - 105));
        }
        return one;
    }

    /** How many features are tried: a block of threads projects up to 8 of them itself, and one more it does not. */
    private static int[] inputs(String plan, int turn) {
        return plan.equals("block")
                ? new int[] {FUSED[turn % FUSED.length], FUSED[FUSED.length - 1] + 1}
                : new int[] {2};
    }

    @ParameterizedTest
    @CsvSource({
        "block, 40, 1",
        "block, 64, 1",
        "block, 100, 1",
        "block, 128, 1",
        "block, 160, 1",
        "block, 192, 1",
        "cluster, 230, 1",
        "cluster, 256, 1",
        "cluster, 384, 1",
        "cluster, 380, 12",
        "cluster, 384, 30",
        "cluster, 400, 1",
        "cluster, 512, 1",
        "cluster, 500, 24",
        "cluster, 512, 60",
        "grid, 256, 4",
        "grid, 500, 8",
        "grid, 768, 24",
        "grid, 1000, 32",
        "grid, 1030, 128",
        "tensor, 256, 4",
        "tensor, 380, 8",
        "tensor, 500, 8",
        "tensor, 768, 16",
        "tensor, 1000, 32",
        "tensor, 1030, 128",
        "tensor in TF32, 250, 4",
        "tensor in TF32, 384, 8",
        "tensor in TF32, 500, 8",
        "tensor in TF32, 1000, 32",
        "tensor in TF32, 1030, 128",
        "tensor-cluster in TF32, 380, 16",
        "tensor-cluster in TF32, 250, 2",
        "tensor-cluster in TF32, 512, 8",
        "tensor-block, 64, 1",
        "tensor-block, 120, 1",
        "tensor-block in TF32, 190, 1"
    })
    void aRowsBitsAreItsOwn(String plan, int hidden, int multiprocessors) {
        SequenceCase.assumePlan(cuda, plan, hidden);
        int rows = 11;
        int steps = hidden > 768 ? 2 : 4; // a large one takes seconds on the software device
        for (int inputs : inputs(plan, hidden)) {
            SequenceCase one =
                    new SequenceCase(cuda, plan, steps, rows, inputs, hidden, Activation.TANH, false, true, true);
            List<float[]> all = one.onDevice(multiprocessors, steps, 0, rows);
            for (int row : new int[] {0, 5, rows - 1}) {
                List<float[]> alone = one.onDevice(1000, steps, row, 1);
                for (int i = 0; i < alone.size(); i++) {
                    for (int slot = 0; slot <= steps; slot++) {
                        int from = (slot * rows + row) * hidden;
                        assertArrayEquals(
                                Arrays.copyOfRange(alone.get(i), slot * hidden, (slot + 1) * hidden),
                                Arrays.copyOfRange(all.get(i), from, from + hidden),
                                one + ", row " + row + ", tensor " + i + ", slot " + slot);
                    }
                }
            }
        }
    }

    /** Both directions of a layer in one launch, where there is room for the groups of both, have the bits of each alone. */
    @ParameterizedTest
    @CsvSource({
        "block, 40, 3, 1000, 1",
        "block, 64, 9, 1, 1",
        "block, 64, 11, 8, 1",
        "block, 100, 5, 4, 1",
        "block, 192, 3, 1000, 1",
        "block, 192, 5, 4, 1",
        "cluster, 256, 3, 1000, 1",
        "cluster, 250, 9, 8, 1",
        "cluster, 384, 4, 16, 1",
        "cluster, 380, 12, 25, 1",
        "cluster, 512, 2, 1000, 1",
        "cluster, 500, 6, 32, 2",
        "cluster, 500, 6, 36, 1",
        "grid, 256, 1, 8, 1",
        "grid, 250, 9, 8, 1",
        "grid, 512, 1, 1000, 1",
        "grid, 300, 3, 8, 2",
        "grid, 1000, 5, 64, 1",
        "tensor, 33, 9, 8, 1",
        "tensor, 250, 19, 16, 1",
        "tensor, 384, 9, 8, 2",
        "tensor, 768, 2, 32, 1",
        "tensor in TF32, 384, 9, 32, 1",
        "tensor-cluster in TF32, 256, 9, 8, 1",
        "tensor-cluster in TF32, 384, 3, 18, 1",
        "tensor-cluster in TF32, 500, 11, 18, 1",
        "tensor-block, 60, 11, 8, 1",
        "tensor-block in TF32, 192, 9, 2, 1"
    })
    void bothDirectionsAreAsEachAlone(String plan, int hidden, int rows, int multiprocessors, int launches) {
        SequenceCase.assumePlan(cuda, plan, hidden);
        int steps = hidden > 512 ? 4 : hidden > 256 ? 8 : 18; // a large one takes seconds on the software device
        for (boolean masked : new boolean[] {false, true}) {
            for (int inputs : inputs(plan, hidden)) {
                boolean reverse = masked == (hidden % 4 == 0);
                SequenceCase one = new SequenceCase(
                        cuda, plan, steps, rows, inputs, hidden, Activation.TANH, reverse, masked, true);
                SequenceCase other = new SequenceCase(
                        cuda, plan, steps, rows, inputs, hidden, Activation.TANH, !reverse, masked, masked);
                if (masked && rows % 3 == 0) one.drop(multiprocessors);
                if (masked && rows % 2 == 1) other.drop(multiprocessors);
                CudaContext.Counters counters = cuda.context().counters();
                List<List<float[]>> expected = List.of(
                        one.onDevice(multiprocessors, steps, 0, rows), other.onDevice(multiprocessors, steps, 0, rows));
                long before = counters.launches;
                List<List<float[]>> given = one.onDeviceWith(other, multiprocessors);
                for (int direction = 0; direction < 2; direction++) {
                    for (int i = 0; i < 2; i++) {
                        assertArrayEquals(
                                expected.get(direction).get(i),
                                given.get(direction).get(i),
                                (direction == 0 ? one : other) + ", tensor " + i);
                    }
                }
                if (masked) continue; // then other kernels run, too
                int products = plan.equals("block") && inputs <= 8 ? 0 : 2;
                assertEquals(products + 2 * launches, counters.launches - before, one.toString());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "block, 50, false",
        "block, 50, true",
        "cluster, 220, false",
        "cluster, 220, true",
        "grid, 220, false",
        "grid, 220, true",
        "tensor, 220, false",
        "tensor, 220, true",
        "tensor in TF32, 220, true",
        "tensor-cluster in TF32, 390, false",
        "tensor-cluster in TF32, 300, true",
        "tensor-cluster in TF32, 230, true",
        "tensor-block, 100, false",
        "tensor-block in TF32, 150, true"
    })
    void stepsOneByOneGiveTheBitsOfTheWhole(String plan, int hidden, boolean reverse) {
        SequenceCase.assumePlan(cuda, plan, hidden);
        for (int multiprocessors : new int[] {4, 1000}) {
            for (int inputs : inputs(plan, multiprocessors)) {
                SequenceCase one =
                        new SequenceCase(cuda, plan, 6, 5, inputs, hidden, Activation.TANH, reverse, true, true);
                if (multiprocessors > 4) one.drop(multiprocessors);
                List<float[]> whole = one.onDevice(multiprocessors, 6, 0, 5);
                List<float[]> stepped = one.onDevice(multiprocessors, 1, 0, 5);
                for (int i = 0; i < whole.size(); i++) assertArrayEquals(whole.get(i), stepped.get(i), one.toString());
            }
        }
    }

    /** Where x is masked it may be anything; what is no number in a live row goes on there and reaches no other row. */
    @ParameterizedTest
    @CsvSource({
        "block, 50, 1",
        "block, 50, 1000",
        "block, 100, 1",
        "block, 100, 1000",
        "block, 190, 1",
        "block, 190, 1000",
        "tensor, 40, 4",
        "tensor in TF32, 40, 4",
        "tensor-cluster in TF32, 400, 8",
        "tensor-cluster in TF32, 240, 2",
        "tensor-block, 50, 1",
        "tensor-block in TF32, 180, 1"
    })
    void aRowKeepsItsNaNs(String plan, int hidden, int multiprocessors) {
        SequenceCase.assumePlan(cuda, plan, hidden);
        int rows = 5;
        int steps = 4;
        for (int inputs : inputs(plan, hidden)) {
            for (boolean reverse : new boolean[] {false, true}) {
                SequenceCase one =
                        new SequenceCase(cuda, plan, steps, rows, inputs, hidden, Activation.TANH, reverse, true, true);
                List<float[]> before = one.onDevice(multiprocessors, steps, 0, rows);
                for (int i = 0; i < one.x.length; i++) if (one.mask[i / inputs] == 0) one.x[i] = Float.NaN;
                List<float[]> after = one.onDevice(multiprocessors, steps, 0, rows);
                for (int i = 0; i < before.size(); i++) assertArrayEquals(before.get(i), after.get(i), one.toString());

                // The last features of the first two rows in step 0.
                one.mask[0] = 1;
                one.mask[1] = 1;
                Arrays.fill(one.x, 0, 2 * inputs, .5f);
                one.x[inputs - 1] = Float.NaN;
                one.x[2 * inputs - 1] = Float.POSITIVE_INFINITY;
                one.assertAsOn(reference, one.onDevice(multiprocessors, steps, 0, rows));
            }
        }
    }

    /** Where operands are split no part of it may become NaN: infinity less infinity. */
    @ParameterizedTest
    @CsvSource({
        "block, 50, 1",
        "cluster, 230, 4",
        "grid, 250, 4",
        "tensor, 40, 4",
        "tensor in TF32, 40, 4",
        "tensor-cluster in TF32, 400, 8",
        "tensor-block, 50, 1",
        "tensor-block in TF32, 180, 1"
    })
    void anInfiniteStateIsTakenAsItIs(String plan, int hidden, int multiprocessors) {
        SequenceCase.assumePlan(cuda, plan, hidden);
        SequenceCase one = new SequenceCase(cuda, plan, 3, 3, 2, hidden, Activation.TANH, false, false, true);
        one.states[hidden + 3] = Float.POSITIVE_INFINITY;
        one.assertAsOn(reference, one.onDevice(multiprocessors, 3, 0, 3));
    }

    /** Tensor cores cut off what they do not keep, by which all numbers would become smaller. */
    @ParameterizedTest
    @CsvSource({"tensor in TF32, 4", "tensor-cluster in TF32, 8", "tensor-block in TF32, 1"})
    void operandsAreRoundedToTheNearest(String plan, int multiprocessors) {
        SequenceCase.assumePlan(cuda, plan, 1);
        SequenceCase one = new SequenceCase(cuda, plan, 1, 1, 1, 1, Activation.LINEAR, false, false, false);
        one.x[0] = 0;
        for (int i = 0; i < 2; i++) {
            one.wh[0] = i == 0 ? 1 : 1 + 0x3p-12f;
            one.states[0] = i == 0 ? 1 + 0x3p-12f : 1;
            assertEquals(1 + 0x1p-10f, one.onDevice(multiprocessors, 1, 0, 1).get(0)[1]);
        }
    }

    /** It may have more slots, and so more floats in all. */
    @Test
    void aRingForASmallerBatchTakesNoMemory() {
        Ring ring = new Ring(cuda.context(), 1 << 16);
        assertEquals(16, ring.empty(900, 900, 100).count());
        long allocations = cuda.context().counters().allocations;
        assertEquals(32, ring.empty(500, 500, 100).count());
        assertEquals(8, ring.empty(500, 500, 3).count());
        assertEquals(allocations, cuda.context().counters().allocations);
        // More than there is room for, in the fewest slots: then the memory is that of the largest batch of these
        // passes.
        assertEquals(8, ring.empty(3000, 3300, 100).count());
        allocations = cuda.context().counters().allocations;
        assertEquals(8, ring.empty(3300, 3300, 100).count());
        assertEquals(allocations, cuda.context().counters().allocations);
    }

    @Test
    void oneLaunchBesidesTheProducts() {
        SequenceCase one = new SequenceCase(cuda, "block", 9, 3, 9, 20, Activation.TANH, false, false, true);
        long launches = cuda.context().counters().launches;
        one.onDevice(4, 9, 0, 3);
        // Forward and back, and one product, which is a kernel of ours here.
        assertEquals(launches + 3, cuda.context().counters().launches);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 0", "8, 0", "9, 1"})
    void aLayerOfFewInputsTakesNoProductForward(int inputs, int products) {
        int hidden = 192;
        try (Tensor wx = cuda.allocate(Shape.of(inputs, hidden));
                Tensor wh = cuda.allocate(Shape.of(hidden, hidden));
                Tensor x = cuda.allocate(Shape.of(6, 3, inputs));
                Tensor states = cuda.allocate(Shape.of(7, 3, hidden))) {
            CudaContext.Counters counters = cuda.context().counters();
            long launches = counters.launches;
            long before = counters.products;
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, null);
            cuda.simpleRnnForward(new SimpleRnnForward(new SimpleRnnWeights(wx, wh, null), pass, x, states));
            assertEquals(products, counters.products - before);
            // A product is a kernel of ours here.
            assertEquals(1 + products, counters.launches - launches);
        }
    }
}
