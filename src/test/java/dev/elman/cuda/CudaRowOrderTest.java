package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Activation;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.contract.Required;
import dev.elman.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.IntBinaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows in the order of their live steps, and passes that end with their rows. */
@Tag("cuda")
class CudaRowOrderTest {
    private static final int EMPTY = 0x7ff0e1a0;
    private static final int STEPS = 20;
    private static final int ROWS = 61;
    private static final int HIDDEN = 250;
    private static final int PADDED = 256;
    /** Rows of a pass. */
    private static final int PASS = 16;
    /** Room for two groups, each of four blocks: 31 and 30 rows, two passes. */
    private static final int MULTIPROCESSORS = 8;

    private static final int GROUPS = 2;
    private static final int PASSES = 2;

    private final Random random = new Random(5);
    private CudaBackend cuda;

    @BeforeEach
    void open() {
        // With products whose rows keep their bits, so that only the plan is judged.
        cuda = Required.open("cuda", () -> CudaBackend.open(Settings.of("gemm=own")));
    }

    @AfterEach
    void close() {
        if (cuda == null) return;
        assertEquals(0, cuda.liveTensors());
        cuda.close();
    }

    /** Blocks of 32 and of 256 rows, and what is over; ties, and rows that are not live at all. */
    @ParameterizedTest
    @CsvSource({"1, 16", "31, 17", "32, 100", "33, 18", "256, 16", "300, 33", "700, 40"})
    void ranks(int rows, int steps) {
        int[] mask = random.doubles((long) rows * steps)
                .mapToInt(each -> each < 0.1 ? 3 : 0)
                .toArray();
        for (int t = 0; t < steps; t++) mask[t * rows] = 0;
        int[] counts = new int[rows];
        int[] begins = new int[rows];
        int[] ends = new int[rows];
        Arrays.fill(begins, steps);
        for (int t = 0; t < steps; t++) {
            for (int row = 0; row < rows; row++) {
                if (mask[t * rows + row] == 0) continue;
                counts[row]++;
                begins[row] = Math.min(begins[row], t);
                ends[row] = t + 1;
            }
        }
        int[] order = IntStream.range(0, rows)
                .boxed()
                .sorted(Comparator.comparing(row -> -counts[row]))
                .mapToInt(row -> row)
                .toArray();
        try (IntTensor live = cuda.allocateInts(Shape.of(steps, rows))) {
            live.set(mask);
            long address = DeviceArray.address(cuda.context(), live);
            long before = cuda.context().counters().bytes;
            int[] given = read(order().ranks(pass(rows, steps, address)), 3 * rows);
            assertEquals(4L * 6 * rows, cuda.context().counters().bytes - before, "its memory");
            assertArrayEquals(order, Arrays.copyOfRange(given, 0, rows));
            assertArrayEquals(pick(begins, order), Arrays.copyOfRange(given, rows, 2 * rows));
            assertArrayEquals(pick(ends, order), Arrays.copyOfRange(given, 2 * rows, 3 * rows));
        }
    }

    @Test
    void noneWhereNothingIsWon() {
        long launches = cuda.context().counters().launches;
        assertEquals(0, order().ranks(pass(5, 100, 0)), "no mask");
        assertEquals(0, order().ranks(pass(5, RowOrder.FEWEST_STEPS - 1, 1 << 20)), "few steps");
        SequenceCase onePass = masked(Masks.RIGHT, PASS * GROUPS, false, "tensor");
        onePass.forwardOnDevice(MULTIPROCESSORS);
        // The projection is a kernel of ours here.
        assertEquals(2, cuda.context().counters().launches - launches);
    }

    /** How rows may be live; the number of steps of a row is its length. */
    private enum Masks implements IntBinaryOperator {
        RIGHT {
            @Override
            public int applyAsInt(int t, int length) {
                return t < length ? 1 : 0;
            }
        },
        LEFT {
            @Override
            public int applyAsInt(int t, int length) {
                return t >= STEPS - length ? 1 : 0;
            }
        },
        BOTH {
            @Override
            public int applyAsInt(int t, int length) {
                return (length % 2 == 0 ? RIGHT : LEFT).applyAsInt(t, length);
            }
        },
        HOLES {
            @Override
            public int applyAsInt(int t, int length) {
                return (t * 7 + length) % 3 == 0 && t < length ? 1 : 0;
            }
        },
        /** No pass lives in the steps in between. */
        GAP {
            @Override
            public int applyAsInt(int t, int length) {
                return length % 2 == 0 ? (t < 4 ? 1 : 0) : t >= 12 && t < 14 ? 1 : 0;
            }
        },
        NONE {
            @Override
            public int applyAsInt(int t, int length) {
                return 0;
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Masks.class)
    void asTheReference(Masks masks) {
        for (boolean reverse : new boolean[] {false, true}) {
            for (int rows : new int[] {ROWS, 2 * PASS + 1}) {
                SequenceCase one = masked(masks, rows, reverse, "tensor");
                if (reverse == (rows == ROWS)) one.drop(MULTIPROCESSORS);
                try (ReferenceBackend reference = new ReferenceBackend()) {
                    one.assertAsOn(reference, one.onDevice(MULTIPROCESSORS, STEPS, 0, rows));
                }
            }
        }
    }

    /** Every kernel whose groups come to have several passes: they begin late and end early, and states are dropped. */
    @ParameterizedTest
    @CsvSource({
        "tensor, 384, 20, 8",
        "tensor, 384, 27, 8",
        "tensor, 500, 19, 8",
        "tensor, 768, 11, 16",
        "tensor, 1000, 11, 32",
        "tensor, 1100, 20, 128",
        "tensor in TF32, 384, 27, 8",
        "tensor in TF32, 500, 27, 8",
        "tensor in TF32, 768, 11, 16",
        "tensor in TF32, 1000, 27, 32",
        "tensor in TF32, 1100, 27, 128"
    })
    void passesOfEveryKernel(String plan, int hidden, int rows, int multiprocessors) {
        SequenceCase.assumePlan(cuda, plan, hidden);
        int steps = RowOrder.FEWEST_STEPS;
        SequenceCase one =
                new SequenceCase(cuda, plan, steps, rows, 2, hidden, Activation.TANH, rows % 2 == 0, true, true);
        // Live for three steps to one, the later the fewer: the rows of one pass begin late, those of another end
        // early.
        for (int i = 0; i < one.mask.length; i++) {
            int row = i % rows;
            int begin = row * (steps - 3) / rows;
            one.mask[i] = i / rows >= begin && i / rows < begin + 3 - 3 * row / rows ? 1 : 0;
        }
        one.drop(multiprocessors);
        try (ReferenceBackend reference = new ReferenceBackend()) {
            one.assertAsOn(reference, one.onDevice(multiprocessors, steps, 0, rows));
        }
    }

    /** Where what a pass reads comes in several goes, over more steps than the ring has slots, in some of which no row is live. */
    @Test
    void aLargePassKeepsItsBitsThroughStepsWithoutLiveRows() {
        int hidden = 1000;
        SequenceCase.assumePlan(cuda, "tensor in TF32", hidden);
        int rows = 27;
        int steps = 13;
        SequenceCase one =
                new SequenceCase(cuda, "tensor in TF32", steps, rows, 2, hidden, Activation.TANH, false, true, true);
        for (int i = 0; i < one.mask.length; i++) one.mask[i] = i / rows % 4 < 2 ? 1 : 0;
        List<float[]> all = one.onDevice(32, steps, 0, rows);
        List<float[]> alone = one.onDevice(1000, steps, rows - 1, 1);
        for (int i = 0; i < alone.size(); i++) {
            for (int slot = 0; slot <= steps; slot++) {
                int from = (slot * rows + rows - 1) * hidden;
                assertArrayEquals(
                        Arrays.copyOfRange(alone.get(i), slot * hidden, (slot + 1) * hidden),
                        Arrays.copyOfRange(all.get(i), from, from + hidden),
                        one + ", tensor " + i + ", slot " + slot);
            }
        }
    }

    /** Alone it has a pass of its own, in the order in which it stands. */
    @ParameterizedTest
    @CsvSource({"RIGHT, tensor", "LEFT, tensor", "HOLES, tensor", "GAP, tensor", "RIGHT, tensor in TF32"})
    void aRowsBitsAreItsOwn(Masks masks, String plan) {
        for (boolean reverse : new boolean[] {false, true}) {
            SequenceCase one = masked(masks, ROWS, reverse, plan);
            List<float[]> all = one.onDevice(MULTIPROCESSORS, STEPS, 0, ROWS);
            for (int row : new int[] {0, 17, ROWS - 1}) {
                List<float[]> alone = one.onDevice(1000, STEPS, row, 1);
                for (int i = 0; i < alone.size(); i++) {
                    for (int slot = 0; slot <= STEPS; slot++) {
                        int from = (slot * ROWS + row) * HIDDEN;
                        assertArrayEquals(
                                Arrays.copyOfRange(alone.get(i), slot * HIDDEN, (slot + 1) * HIDDEN),
                                Arrays.copyOfRange(all.get(i), from, from + HIDDEN),
                                one + ", " + masks + ", row " + row + ", tensor " + i + ", slot " + slot);
                    }
                }
            }
        }
    }

    /**
     * What a step reads from the ring is emptied in the one after it, so in the end what a pass's last step read and what it sent are
     * left. That is the last one of the longest of its rows.
     */
    @Test
    void aPassEndsWithItsRows() {
        int[] lengths =
                IntStream.rangeClosed(1, ROWS).map(i -> 1 + i * 7 % STEPS).toArray();
        int[] longest = Arrays.stream(lengths).sorted().toArray();
        for (boolean back : new boolean[] {false, true}) {
            Ring ring = new Ring(cuda.context());
            long floats = PASSES * PASS * PADDED;
            Ring.Slots slots = ring.empty(GROUPS * floats, GROUPS * floats, STEPS);
            SequenceCase one = masked(back ? Masks.LEFT : Masks.RIGHT, ROWS, false, "tensor");
            for (int i = 0; i < one.mask.length; i++) {
                one.mask[i] = (back ? Masks.LEFT : Masks.RIGHT).applyAsInt(i / ROWS, lengths[i % ROWS]);
            }
            one.through(ring);
            if (back) one.onDevice(MULTIPROCESSORS, STEPS, 0, ROWS);
            else one.forwardOnDevice(MULTIPROCESSORS);
            int[] left = read(slots.address(), Math.toIntExact(floats * GROUPS * slots.count()));
            for (int group = 0; group < GROUPS; group++) {
                for (int pass = 0; pass < PASSES; pass++) {
                    int rank = (pass * GROUPS + (pass % 2 == 0 ? group : GROUPS - 1 - group)) * PASS;
                    // On the way back the step after the last one, to which its product goes.
                    int last = rank < ROWS ? longest[ROWS - 1 - rank] - (back ? 0 : 1) : -1;
                    int steps = back ? STEPS + 1 : STEPS;
                    int ofGroup = group * slots.count();
                    for (int slot = 0; slot < slots.count(); slot++) {
                        int place = ((ofGroup + slot) * PASSES + pass) * PASS * PADDED;
                        long filled = Arrays.stream(left, place, place + PASS * PADDED)
                                .filter(each -> each != EMPTY)
                                .count();
                        boolean kept = slot == last || (slot == last + 1 && rank < ROWS && slot < steps);
                        assertEquals(
                                kept ? PASS * PADDED : 0,
                                filled,
                                "group " + group + ", pass " + pass + ", slot " + slot + (back ? ", back" : ""));
                    }
                }
            }
        }
    }

    private SequenceCase masked(Masks masks, int rows, boolean reverse, String plan) {
        SequenceCase.assumePlan(cuda, plan, HIDDEN);
        SequenceCase one = new SequenceCase(cuda, plan, STEPS, rows, 2, HIDDEN, Activation.TANH, reverse, true, true);
        int[] lengths = random.ints(rows, 0, STEPS + 1).toArray();
        for (int i = 0; i < one.mask.length; i++) one.mask[i] = masks.applyAsInt(i / rows, lengths[i % rows]);
        return one;
    }

    private RowOrder order() {
        return new RowOrder(cuda.context(), cuda.kernels());
    }

    private static Recurrence pass(int rows, int steps, long mask) {
        Operands.Rnn sizes = new Operands.Rnn(rows, steps, 1, 1);
        return new Recurrence(sizes, Activation.TANH, false, mask, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    private int[] read(long address, int count) {
        int[] values = new int[count];
        cuda.context().staging().download(address, count, (buffer, from, some) -> {
            for (int i = 0; i < some; i++) values[from + i] = buffer.getInt(4 * i);
        });
        return values;
    }

    private static int[] pick(int[] values, int[] order) {
        return Arrays.stream(order).map(row -> values[row]).toArray();
    }
}
