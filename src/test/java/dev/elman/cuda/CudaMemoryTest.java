package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Activation;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What passes take beyond their operands, to the byte: no copy of what all steps leave, but where the table says so. */
@Tag("cuda")
class CudaMemoryTest {
    private static final int D = 3;
    private static final int H = 5;
    private static final int MIB = 1 << 20;

    /** A layer's pass under the conditions that are named in {@code with}: own, tf32, split, stepped, live, masked, dropped, both. */
    private record Case(String plan, int t, int n, String with) {
        boolean is(String condition) {
            return with.contains(condition);
        }

        long rows() {
            return (long) t * n;
        }

        int directions() {
            return is("both") ? 2 : 1;
        }

        /** Products of live rows alone; a block of threads projects few features by itself. */
        boolean gathersForward() {
            return is("live") && !plan.equals("block");
        }

        Case doubled() {
            return new Case(plan, 2 * t, n, with);
        }
    }

    /**
     * A row of the table.
     *
     * @param growsWithT whether it is more for twice the steps, live rows up to 32 MiB, column sums up to 256 chunks and slices up
     *     to 512 blocks of threads
     * @param forward bytes that a pass forward takes
     * @param back bytes that the pass back takes besides
     */
    private record Row(String what, boolean growsWithT, ToLongFunction<Case> forward, ToLongFunction<Case> back) {}

    private static final List<Row> TABLE = List.of(
            new Row("ring", false, one -> one.plan.matches("grid|tensor") ? 8 * MIB : 0, CudaMemoryTest::nothing),
            new Row(
                    "factors of dropout",
                    false,
                    one -> one.is("dropped") ? one.directions() * 8L * one.n * H : 0,
                    CudaMemoryTest::nothing),
            new Row(
                    "m times all states",
                    true,
                    CudaMemoryTest::nothing,
                    one -> one.is("dropped") ? 4 * one.rows() * H : 0),
            new Row(
                    "parts, second workspace",
                    false,
                    one -> one.is("split") ? (128 + 32) * MIB : 0,
                    CudaMemoryTest::nothing),
            new Row("transposed Wx", false, one -> transposes(one) ? 4 * D * H : 0, CudaMemoryTest::nothing),
            new Row("transposed Wh", false, one -> transposes(one) ? 4 * H * H : 0, CudaMemoryTest::nothing),
            new Row(
                    "numbers of live rows",
                    true,
                    one -> one.gathersForward() ? numbers(one) : 0,
                    one -> one.is("live") && !one.gathersForward() ? numbers(one) : 0),
            new Row(
                    "live rows",
                    true,
                    one -> one.gathersForward() ? gathered(one, D, H) : 0,
                    one -> one.is("live") ? gathered(one, H, H) - (one.gathersForward() ? gathered(one, D, H) : 0) : 0),
            new Row(
                    "sums of columns",
                    true,
                    CudaMemoryTest::nothing,
                    one -> one.rows() <= 64 ? 0 : 4 * Math.min(up(one.rows(), 64) / 64, 256) * H),
            new Row(
                    "slices of products",
                    true,
                    CudaMemoryTest::nothing,
                    one -> one.is("own") ? 4 * slices(one.rows()) * H * H : 0));

    private static long nothing(Case one) {
        return 0;
    }

    private static boolean transposes(Case one) {
        return one.is("tf32") && !one.is("stepped") && one.rows() >= 8192;
    }

    private static long numbers(Case one) {
        return 4 * (one.rows() + up(one.rows(), 1024) / 1024 + 1);
    }

    private static long gathered(Case one, int first, int second) {
        return 4 * (up(one.rows() * first, 64) + one.rows() * second);
    }

    /** None where one product sums all rows. */
    private static long slices(long rows) {
        return rows <= 256 ? 0 : up(rows, 256) / 256;
    }

    private static long up(long size, long multiple) {
        return (size + multiple - 1) / multiple * multiple;
    }

    private static long forward(Case one) {
        return TABLE.stream().mapToLong(row -> row.forward.applyAsLong(one)).sum();
    }

    private static long both(Case one) {
        return forward(one)
                + TABLE.stream().mapToLong(row -> row.back.applyAsLong(one)).sum();
    }

    @ParameterizedTest
    @CsvSource({
        "block, 9, 8, ",
        "block, 9, 8, masked",
        "block, 9, 8, dropped",
        "block, 9, 8, masked dropped both",
        "block, 9, 8, masked live both",
        "block, 3, 100, own masked dropped",
        "tensor-block, 9, 8, masked dropped",
        "cluster, 9, 8, masked dropped both",
        "tensor-cluster, 9, 8, tf32 masked both",
        "grid, 9, 8, own",
        "grid, 9, 8, masked dropped both",
        "tensor, 9, 8, masked dropped",
        "graph, 9, 8, masked dropped both",
        "graph, 9, 8, own masked",
        "steps, 9, 8, both",
        "steps, 3, 100, own masked dropped both",
        "steps, 9, 40, masked live",
        "steps, 4, 100, masked dropped live both",
        "steps, 2, 30, split",
        "steps, 4, 2048, tf32 both",
        "steps, 4, 2048, tf32 stepped"
    })
    void aPassTakes(String plan, int t, int n, String with) {
        Case one = new Case(plan, t, n, with == null ? "" : with);
        for (Row row : TABLE) {
            if (row.growsWithT) continue;
            assertEquals(row.forward.applyAsLong(one), row.forward.applyAsLong(one.doubled()), row.what);
            assertEquals(row.back.applyAsLong(one), row.back.applyAsLong(one.doubled()), row.what);
        }
        try (CudaBackend cuda = Required.open("cuda", () -> CudaBackend.open(settings(one, "")))) {
            SequenceCase.assumePlan(cuda, plan, H);
        }
        try (CudaBackend cuda = CudaBackend.open(settings(one, one.plan))) {
            CudaContext.Counters counters = cuda.context().counters();
            assertEquals(one.is("own") ? 0 : 32 * MIB, counters.bytes, "cuBLAS's workspace");
            try (Run run = new Run(cuda, one);
                    Run longer = new Run(cuda, one.doubled())) {
                long operands = counters.bytes;
                run.forward();
                assertEquals(forward(one), counters.bytes - operands, "forward");
                run.back();
                assertEquals(both(one), counters.bytes - operands, "back");
                longer.forward();
                longer.back();
                assertEquals(both(one.doubled()), counters.bytes - operands, "twice the steps");
                assertEquals(counters.bytes, counters.peak, "nothing that was given back was beside it");
            }
        }
    }

    /** What is rounded must not make a shorter batch ask for more: training takes all memory for its longest one. */
    @Test
    void aShorterBatchTakesNothingMore() {
        try (CudaBackend cuda = Required.open("cuda", CudaBackend::open)) {
            for (int t : new int[] {513, 512}) { // chunks of 65 rows and of 64
                try (Run run = new Run(cuda, new Case("", t, 32, ""))) {
                    long operands = cuda.context().counters().bytes;
                    run.forward();
                    run.back();
                    if (t == 512) assertEquals(operands, cuda.context().counters().bytes);
                }
            }
        }
    }

    private static CudaSettings settings(Case one, String plan) {
        return Settings.of(
                "plan=" + plan,
                "tf32=" + one.is("tf32"),
                "gemm=" + (one.is("own") ? "own" : "cublas"),
                "split=" + (one.is("split") ? "all" : ""),
                "projectByStep=" + one.is("stepped"),
                "onlyLiveRows=" + one.is("live"));
    }

    /** Device memory that nobody holds. */
    static long freeBytes(CudaBackend cuda) {
        long[] free = {0};
        cuda.context().calls().driver("cuMemGetInfo", () -> JCudaDriver.cuMemGetInfo(free, new long[1]));
        return free[0];
    }

    /** The operands, which are taken before anything runs. */
    private static final class Run implements AutoCloseable {
        private final CudaBackend cuda;
        private final List<Tensor> tensors = new ArrayList<>();
        private final IntTensor mask;
        private final List<SimpleRnnBackward> directions = new ArrayList<>();

        Run(CudaBackend cuda, Case one) {
            this.cuda = cuda;
            mask = one.is("masked") ? cuda.allocateInts(Shape.of(one.t, one.n)) : null;
            if (mask != null)
                mask.set(IntStream.range(0, one.t * one.n).map(i -> i % 3).toArray());
            Tensor x = tensor(one.t, one.n, D);
            for (int i = 0; i < one.directions(); i++) {
                Dropout dropout = one.is("dropped") ? new Dropout(.4, i, 0, true) : null;
                SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, i == 1, mask, dropout);
                Tensor h = tensor(one.t + 1, one.n, H);
                directions.add(new SimpleRnnBackward(
                        new SimpleRnnForward(weights(), pass, x, h),
                        tensor(one.t + 1, one.n, H),
                        tensor(one.t, one.n, D),
                        weights()));
            }
        }

        private Tensor tensor(int... extents) {
            tensors.add(cuda.allocate(Shape.of(extents)));
            return tensors.get(tensors.size() - 1);
        }

        private SimpleRnnWeights weights() {
            return new SimpleRnnWeights(tensor(D, H), tensor(H, H), tensor(H));
        }

        void forward() {
            SimpleRnnForward one = directions.get(0).forward();
            if (directions.size() == 1) cuda.simpleRnnForward(one);
            else cuda.bidirectionalForward(one, directions.get(1).forward());
        }

        void back() {
            SimpleRnnBackward one = directions.get(0);
            if (directions.size() == 2) cuda.bidirectionalBackward(one, directions.get(1));
            else cuda.simpleRnnBackward(one);
        }

        @Override
        public void close() {
            tensors.forEach(Tensor::close);
            if (mask != null) mask.close();
        }
    }
}
