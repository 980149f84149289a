package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
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
import dev.elman.reference.ReferenceBackend;
import dev.elman.verify.Bench;
import dev.elman.verify.Checks;
import dev.elman.verify.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Products of the live rows alone: which rows they are, and that nothing but their number of operations changes. */
@Tag("cuda")
class CudaLiveRowsTest {
    private static final long ROOM = 32 << 20;

    private final Random random = new Random(11);
    private CudaBackend cuda;

    @BeforeEach
    void open() {
        cuda = Required.open("cuda", CudaBackend::open);
    }

    @AfterEach
    void close() {
        if (cuda == null) return;
        assertEquals(0, cuda.liveTensors());
        cuda.close();
    }

    /** Blocks of 1024 elements, warps of 128: sizes around their ends, and more blocks than one adds up at a time. */
    @ParameterizedTest
    @CsvSource({
        "1, 1",
        "1, 0",
        "31, 0.5",
        "32, 1",
        "129, 0.5",
        "1024, 0.5",
        "1025, 0.1",
        "2048, 0",
        "5000, 0.9",
        "270000, 0.01"
    })
    void theirNumbersInOrder(int size, double share) {
        int[] mask = random.doubles(size).mapToInt(each -> each < share ? 7 : 0).toArray();
        int[] expected = IntStream.range(0, size).filter(i -> mask[i] != 0).toArray();
        try (IntTensor live = ints(mask)) {
            LiveRows.Work work = work(1, 1, 0, 0);
            List<LiveRows.Piece> pieces = live(true, ROOM).pieces(pass(size, address(live)), 1, work);
            assertArrayEquals(expected, numbers(pieces));
            List<LiveRows.Piece> small = live(true, 4 * 2 * 300).pieces(pass(size, address(live)), 1, work);
            assertArrayEquals(expected, numbers(small));
            assertEquals((expected.length + 299) / 300, small.size());
        }
    }

    @Test
    void largeProductsUnderAMaskAlone() {
        int[] half = IntStream.range(0, 4096).map(i -> i % 2).toArray();
        int[] most = IntStream.range(0, 4096).map(i -> i % 32 == 0 ? 0 : 1).toArray();
        try (IntTensor halves = ints(half);
                IntTensor nearlyAll = ints(most)) {
            LiveRows live = live(false, ROOM);
            LiveRows.Work large = work(1e9, 2, 0, 0);
            long waited = cuda.context().counters().downloads;
            assertNull(live.pieces(pass(4096, 0), 1, large));
            assertNull(live.pieces(pass(4096, address(halves)), 1, work(1e4, 2, 0, 0)));
            assertNull(live.pieces(pass(4096, address(halves)), 1, work(1e9, 100_000_000, 0, 0)));
            assertNull(live.pieces(pass(4096, address(halves)), 1, work(1e9, 2, 100_000_000, 0)));
            assertNull(live.pieces(pass(4096, address(halves)), 1, work(1e9, 2, 0, 100_000_000_000L)));
            // What would save 100 us pays where it is done for both directions of a layer.
            LiveRows.Work some = work(2 * 100 * cuda.blas.operationsPerMicro() / 4096, 2, 0, 0);
            assertNull(live.pieces(pass(4096, address(halves)), 1, some));
            assertEquals(waited, cuda.context().counters().downloads, "nothing was counted");
            assertEquals(2048, numbers(live.pieces(pass(4096, address(halves)), 2, some)).length);
            assertNull(live.pieces(pass(4096, address(nearlyAll)), 1, work(1e9, 1_000_000, 0, 0)));
            assertEquals(2048, numbers(live.pieces(pass(4096, address(halves)), 1, large)).length);
        }
    }

    /** What half of the rows takes would be saved: 100 us for each. */
    @Test
    void bothDirectionsAreProjectedSoWhereOneIsNot() {
        int steps = 64;
        Blas slow = new BlasAround(cuda.blas) {
            @Override
            double operationsPerMicro() {
                return steps / 2 * 2 * 2 * 3 / 100.0;
            }
        };
        TransposedWeights never = new TransposedWeights(cuda.context(), cuda.kernels(), false);
        LiveRows live = new LiveRows(cuda.context(), cuda.kernels(), slow, false);
        InputProjection projection = new InputProjection(slow, live, false, never);
        try (IntTensor half = ints(IntStream.range(0, steps).map(i -> i % 2).toArray());
                Tensor all = cuda.allocate(Shape.of(2 * 3 + steps * 2 + (steps + 1) * 3))) {
            long wx = cuda.in(all);
            long x = wx + 4 * 2 * 3;
            Recurrence pass = new Recurrence(
                    new Operands.Rnn(1, steps, 2, 3),
                    Activation.TANH,
                    false,
                    address(half),
                    0,
                    wx,
                    0,
                    0,
                    0,
                    x,
                    x + 4L * steps * 2,
                    0);
            CudaContext.Counters counters = cuda.context().counters();
            long waited = counters.downloads;
            projection.fill(List.of(pass));
            assertEquals(waited, counters.downloads, "one");
            projection.fill(List.of(pass, pass));
            assertEquals(waited + 1, counters.downloads, "both");
        }
    }

    /** In pieces of one row, of some, and all at once; where no row is live; what stood in the masked rows is NaN. */
    @ParameterizedTest
    @ValueSource(longs = {4, 4 * 3 * (20 + 24), ROOM})
    void theSameAsOfAllRows(long room) {
        for (boolean reverse : new boolean[] {false, true}) {
            for (double share : new double[] {0, 0.6}) {
                for (Dropout dropout : new Dropout[] {null, new Dropout(0.4, 7, 0, true)}) {
                    compare(room, 20, reverse, share, dropout, true);
                    compare(room, 20, reverse, share, dropout, false);
                    compare(room, 0, reverse, share, dropout, true);
                }
            }
        }
    }

    private void compare(long room, int inputs, boolean reverse, double share, Dropout dropout, boolean dxToo) {
        Operands.Rnn sizes = new Operands.Rnn(3, 7, inputs, 24);
        int[] mask = random.doubles(21).mapToInt(each -> each < share ? 1 : 0).toArray();
        String message = room + " " + inputs + (reverse ? " reverse " : " ") + share + " " + dropout + " " + dxToo;
        List<float[]> all = new ArrayList<>();
        List<float[]> alone = new ArrayList<>();
        try (Run run = new Run(sizes, mask, reverse, dropout)) {
            run.onBackend(dxToo, all);
        }
        try (Run run = new Run(sizes, mask, reverse, dropout)) {
            run.alone(live(true, room), dxToo, alone);
        }
        for (int i = 0; i < all.size(); i++)
            assertArrayEquals(all.get(i), alone.get(i), 1e-5f, message + ", result " + i);
    }

    /** The contract of the recurrence under a mask; without one all rows are live. */
    @Test
    void theContract() {
        CudaSettings settings = Settings.of("onlyLiveRows=true");
        try (Bench bench = Bench.open(() -> CudaBackend.open(settings), ReferenceBackend::new)) {
            List<Result> results = Checks.all().stream()
                    .filter(check -> check.operation().matches("(simpleRnn|bidirectional).*"))
                    .filter(check -> !check.variant().contains("no mask"))
                    .flatMap(check -> check.run(bench).stream())
                    .toList();
            assertTrue(results.size() > 100);
            assertEquals(
                    "",
                    results.stream()
                            .filter(result -> !result.passed())
                            .map(Result::message)
                            .collect(Collectors.joining("\n")));
        }
    }

    private static LiveRows.Work work(double operations, int moved, int cleared, long summed) {
        return new LiveRows.Work(operations, moved, cleared, summed, 1, 1);
    }

    private LiveRows live(boolean always, long room) {
        return new LiveRows(cuda.context(), cuda.kernels(), cuda.blas, always, room);
    }

    /** Of T = size steps of one row. */
    private static Recurrence pass(int size, long mask) {
        return new Recurrence(new Operands.Rnn(1, size, 1, 1), Activation.TANH, false, mask, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    private int[] numbers(List<LiveRows.Piece> pieces) {
        return pieces.stream()
                .flatMapToInt(piece -> {
                    int[] numbers = new int[piece.rows()];
                    cuda.context()
                            .staging()
                            .download(
                                    piece.numbers(),
                                    piece.rows(),
                                    (buffer, from, count) ->
                                            buffer.asIntBuffer().get(numbers, from, count));
                    return Arrays.stream(numbers);
                })
                .toArray();
    }

    private IntTensor ints(int... values) {
        IntTensor tensor = cuda.allocateInts(Shape.of(values.length));
        tensor.set(values);
        return tensor;
    }

    private long address(IntTensor tensor) {
        return cuda.in(tensor);
    }

    /** A pass forward and back over the same numbers each time. */
    private final class Run implements AutoCloseable {
        private final Random numbers = new Random(3);
        private final List<Tensor> tensors = new ArrayList<>();
        private final Operands.Rnn sizes;
        private final Dropout dropout;
        private final SimpleRnnPass pass;
        private final IntTensor mask;
        private final Tensor wx;
        private final Tensor wh;
        private final Tensor b;
        private final Tensor x;
        private final Tensor h;
        private final Tensor dh;
        private final Tensor dx;
        private final Tensor dwx;
        private final Tensor dwh;
        private final Tensor db;

        Run(Operands.Rnn sizes, int[] live, boolean reverse, Dropout dropout) {
            this.sizes = sizes;
            this.dropout = dropout;
            int n = sizes.n();
            int t = sizes.t();
            mask = cuda.allocateInts(Shape.of(t, n));
            mask.set(live);
            pass = new SimpleRnnPass(Activation.TANH, reverse, mask, dropout);
            wx = random(sizes.d(), sizes.h());
            wh = random(sizes.h(), sizes.h());
            b = random(sizes.h());
            x = random(t, n, sizes.d());
            h = random(t + 1, n, sizes.h());
            cuda.fill(pass.outputs(h), Double.NaN);
            dh = random(t + 1, n, sizes.h());
            dx = random(t, n, sizes.d());
            dwx = random(sizes.d(), sizes.h());
            dwh = random(sizes.h(), sizes.h());
            db = random(sizes.h());
        }

        private Tensor random(int... extents) {
            Tensor tensor = cuda.allocate(Shape.of(extents));
            tensor.set(numbers.doubles(tensor.shape().size(), -0.3, 0.3).toArray());
            tensors.add(tensor);
            return tensor;
        }

        void onBackend(boolean dxToo, List<float[]> results) {
            SimpleRnnWeights weights = new SimpleRnnWeights(wx, wh, b);
            SimpleRnnForward forward = new SimpleRnnForward(weights, pass, x, h);
            cuda.simpleRnnForward(forward);
            cuda.simpleRnnBackward(
                    new SimpleRnnBackward(forward, dh, dxToo ? dx : null, new SimpleRnnWeights(dwx, dwh, db)));
            read(results);
        }

        void alone(LiveRows live, boolean dxToo, List<float[]> results) {
            RecurrentDropout factors = new RecurrentDropout(cuda.context(), cuda.kernels());
            TransposedWeights never = new TransposedWeights(cuda.context(), cuda.kernels(), false);
            InputProjection projection = new InputProjection(cuda.blas, live, false, never);
            Elementwise elementwise = new Elementwise(cuda.context(), cuda.kernels());
            StepsPlan steps = new StepsPlan(cuda.kernels(), cuda.blas, projection, elementwise, never);
            ColumnSums sums = new ColumnSums(cuda.kernels(), new Workspace(cuda.context()));
            CudaSimpleRnn rnn = new CudaSimpleRnn(new Planner(List.of(steps), null), cuda.blas, sums, factors, live);
            rnn.forward(List.of(new CudaSimpleRnn.Forward(recurrence(0), dropout)));
            long dFrom = dxToo ? cuda.in(dx) : 0;
            rnn.backward(List.of(new CudaSimpleRnn.Backward(
                    recurrence(cuda.in(dh)), dropout, dFrom, cuda.in(dwx), cuda.in(dwh), cuda.in(db))));
            read(results);
        }

        private Recurrence recurrence(long gradients) {
            return new Recurrence(
                    sizes,
                    Activation.TANH,
                    pass.reverse(),
                    address(mask),
                    0,
                    cuda.in(wx),
                    cuda.in(wh),
                    0,
                    cuda.in(b),
                    cuda.in(x),
                    cuda.in(h),
                    gradients);
        }

        private void read(List<float[]> results) {
            for (Tensor tensor : List.of(h, dh, dx, dwx, dwh, db)) results.add(tensor.toFloats());
        }

        @Override
        public void close() {
            tensors.forEach(Tensor::close);
            mask.close();
        }
    }
}
