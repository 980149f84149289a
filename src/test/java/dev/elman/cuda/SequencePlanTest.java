package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Operands;
import dev.elman.backend.RecurrenceChoice;
import dev.elman.cuda.SequenceSize.Family;
import dev.elman.cuda.SequenceSize.Rows;
import dev.elman.cuda.SequenceSize.Share;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the plans of one launch can run and how they share rows out, which needs no GPU. */
class SequencePlanTest {
    private static final int H100 = 132;

    private final SequencePlan block = plan(Family.BLOCK);
    private final SequencePlan cluster = plan(Family.CLUSTER);
    private final SequencePlan grid = plan(Family.GRID);
    private final SequencePlan tensor = plan(Family.TENSOR);
    private final SequencePlan tensorBlock = plan(Family.TENSOR_BLOCK);

    /** The family's plan on an H100, which launches nothing. */
    static SequencePlan plan(Family family) {
        return plan(family, device(90, H100), true);
    }

    private static SequencePlan plan(Family family, Device device, boolean tf32) {
        return new SequencePlan(family, device, tf32, null, null, null, null);
    }

    private static Device device(int capability, int multiprocessors) {
        return new Device(capability, 12010, multiprocessors, true);
    }

    @Test
    void aGroupHasOneRowUntilAllGroupsHave() {
        assertShare(1, 1, 264, share(Family.BLOCK, 128, 264));
        assertShare(2, 2, 133, share(Family.BLOCK, 128, 265));
        assertShare(4, 3, 100, share(Family.BLOCK, 64, 300));
        assertShare(1, 1, 66, share(Family.CLUSTER, 256, 66));
        assertShare(2, 2, 64, share(Family.CLUSTER, 256, 128));
        assertShare(1, 1, 15, share(Family.CLUSTER, 512, 15));
        assertShare(1, 1, 4, share(Family.GRID, 1024, 4));
    }

    /** 15 clusters of 8 run at the same time: 128 rows make 9 for each, three passes of 3 and none of them padded. */
    @Test
    void aGroupTakesTheKernelThatWastesLeast() {
        assertShare(3, 9, 15, share(Family.CLUSTER, 512, 128));
        assertShare(3, 3, 11, share(Family.CLUSTER, 512, 32));
        assertShare(2, 2, 16, share(Family.CLUSTER, 384, 32)); // of 30 clusters of 4
        assertShare(3, 5, 26, share(Family.CLUSTER, 384, 128));
        assertShare(4, 4, 30, share(Family.CLUSTER, 384, 120));
        assertShare(4, 32, 4, share(Family.GRID, 1024, 128));
        assertShare(4, 2, 3, share(Family.GRID, 1024, 5));
        assertShare(8, 8, 16, share(Family.TENSOR, 512, 128));
        assertShare(8, 9, 15, share(Family.TENSOR, 512, 129));
    }

    /** Where tensor cores are no faster than other units, three of their products for one are worth nothing. */
    @Test
    void floatsStayAwayFromSlowTensorCores() {
        for (int capability : new int[] {80, 86, 89, 90, 100, 120}) {
            boolean fast = List.of(80, 90, 100).contains(capability);
            Device device = device(capability, H100);
            double strict = plan(Family.TENSOR, device, false).expectedMicros(sizes(128, 1024), 1, false, false);
            assertEquals(fast ? tensor.expectedMicros(sizes(128, 1024), 1, false, false) : strict, strict);
            assertEquals(!fast, strict > grid.expectedMicros(sizes(128, 1024), 1, false, false), "" + capability);
            double rounded = plan(Family.TENSOR_TF32, device, true).expectedMicros(sizes(128, 1024), 1, false, false);
            assertTrue(rounded < grid.expectedMicros(sizes(128, 1024), 1, false, false), "" + capability);
            for (Family one : List.of(Family.TENSOR_TF32, Family.TENSOR_BLOCK_TF32, Family.TENSOR_CLUSTER_TF32)) {
                assertEquals(
                        plan(one).expectedMicros(sizes(128, 192), 1, false, false),
                        plan(one, device, true).expectedMicros(sizes(128, 192), 1, false, false),
                        one + " makes one product");
            }
            double ofBlock = plan(Family.TENSOR_BLOCK, device, false).expectedMicros(sizes(512, 64), 1, false, false);
            assertEquals(!fast, ofBlock > block.expectedMicros(sizes(512, 64), 1, false, false), "" + capability);
        }
    }

    /** The factors of recurrent dropout are in the weights, which are then one row's; with tensor cores they are applied. */
    @Test
    void aGroupThatDropsStatesHasOneRow() {
        for (SequenceSize size : SequenceSize.ALL) {
            boolean tensor = size.family().onTensorCores();
            int rows = Math.min(size.groups(H100), 60);
            Share share = size.share(rows, 1, H100, false, true);
            if (tensor) assertEquals(size.share(rows, 1, H100, false, false), share);
            else assertEquals(new Share(1, 1, rows, share.micros()), share);
            if (tensor || size.family().cooperates()) continue;
            assertEquals(1, size.share(1000, 1, H100, false, true).together(), "more rows than groups");
        }
        assertNull(grid.refusal(sizes(4, 1024), false, true));
        assertEquals("it has room for 4 rows with recurrent dropout", grid.refusal(sizes(5, 1024), false, true));
        assertNull(tensor.refusal(sizes(512, 1024), true, true));
    }

    @Test
    void whatRunsTogetherHasRoom() {
        for (SequenceSize size : SequenceSize.ALL) {
            for (int multiprocessors : new int[] {1, 4, 40, H100}) {
                for (int rows : new int[] {1, 2, 3, 9, 100, 257, 5000}) {
                    for (int directions : new int[] {1, 2}) {
                        assertRoom(size, rows, directions, multiprocessors, false);
                        assertRoom(size, rows, directions, multiprocessors, true);
                    }
                }
            }
        }
    }

    @Test
    void aKernelThatGoesForwardAloneMakesNoRoomForTheWayBack() {
        List<Rows> kernels = List.of(new Rows(8, 1, true), new Rows(16, 3, false));
        SequenceSize size = new SequenceSize(Family.TENSOR, 256, 4, 512, 1, kernels, 0, 1, 0);
        assertEquals(48, size.mostRows(false, true));
        assertEquals(8, size.mostRows(true, true));
    }

    private static void assertRoom(SequenceSize size, int rows, int directions, int multiprocessors, boolean backward) {
        int atOnce = size.groups(multiprocessors);
        boolean cooperates = size.family().cooperates();
        if (atOnce == 0) return;
        Share share = size.share(rows, directions, multiprocessors, backward, false);
        if (cooperates && rows > (long) (atOnce / directions) * size.mostRows(backward, false)) {
            assertNull(share);
            return;
        }
        assertTrue((long) share.groups() * share.rowsPerGroup() >= rows);
        assertTrue((long) (share.groups() - 1) * share.rowsPerGroup() < rows, "a group without rows");
        assertTrue(!cooperates || directions * share.groups() <= atOnce, "they would wait for each other for ever");
        Rows kernel = size.kernels().stream()
                .filter(one -> one.together() == share.together())
                .findFirst()
                .orElseThrow();
        assertTrue(share.passes() <= kernel.passes(), size + ", " + share);
    }

    /** An int does not count the groups of two directions of so many rows. */
    @Test
    void theMostRowsTakeTheLongest() {
        for (SequenceSize size : SequenceSize.ALL) {
            if (size.family().cooperates()) continue;
            double before = 0;
            for (int rows : new int[] {1 << 29, 1 << 30, (1 << 30) + 1_000, 1_500_000_000, Integer.MAX_VALUE}) {
                double micros = size.share(rows, 2, H100, false, false).micros();
                assertTrue(micros > before, size + ", " + rows + " rows: " + micros + " us");
                before = micros;
            }
        }
    }

    /** The short last batch of an epoch takes no memory, whichever way it goes. */
    @Test
    void aSmallerBatchExchangesNoMoreThanALargerOneHasRoomFor() {
        for (SequenceSize size : SequenceSize.ALL) {
            if (!size.family().cooperates()) continue;
            for (int multiprocessors : new int[] {40, H100, 144}) {
                if (size.groups(multiprocessors) == 0) continue;
                for (int directions : new int[] {1, 2}) {
                    for (boolean back : new boolean[] {false, true}) {
                        assertMoreNeedsMore(size, directions, multiprocessors, back);
                    }
                }
            }
        }
    }

    private static void assertMoreNeedsMore(SequenceSize size, int directions, int multiprocessors, boolean back) {
        long before = 0;
        for (int rows = 1; rows <= size.groups(multiprocessors) * size.mostRows(false, false); rows++) {
            long most = most(size, rows, directions, multiprocessors, back);
            String what = size + ", " + rows + " rows, " + directions + " directions, " + multiprocessors;
            assertTrue(most >= before, what + (back ? ", back" : ""));
            long room = (long) size.groups(multiprocessors) * size.mostRows(back, false) * size.hidden();
            assertTrue(most <= room, what + (back ? ", back" : ""));
            before = most;
        }
    }

    private static long most(SequenceSize size, int rows, int directions, int multiprocessors, boolean back) {
        Share alone = size.share(rows, 1, multiprocessors, back, false);
        Share both = size.share(rows, directions, multiprocessors, back, false);
        boolean together = both != null && both.micros() <= directions * alone.micros();
        return together
                ? size.mostExchanged(both, 1, multiprocessors)
                : size.mostExchanged(alone, directions, multiprocessors);
    }

    /** Where half of the groups have room for all rows without a further pass, two directions take no longer than one. */
    @ParameterizedTest
    @CsvSource({
        "block, 32, 64, 1",
        "block, 128, 128, 1",
        "cluster, 7, 512, 1",
        "cluster, 15, 384, 1",
        "cluster, 33, 256, 1",
        "grid, 2, 1024, 1",
        "tensor, 16, 1024, 1",
        "tensor, 32, 1024, 1.86",
        "grid, 1, 2048, 2",
        "tensor, 9, 2048, 2",
        "tensor-block, 528, 64, 1",
        "tensor-block, 529, 64, 2"
    })
    void twoDirectionsAreExpectedToTake(String name, int rows, int hidden, double times) {
        SequencePlan plan = List.of(block, cluster, grid, tensor, tensorBlock).stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow();
        double alone = plan.expectedMicros(sizes(rows, hidden), 1, false, false);
        assertEquals(times * alone, plan.expectedMicros(sizes(rows, hidden), 2, false, false), 0.01 * alone);
    }

    @Test
    void theyRefuseWhatTheyHaveNoRoomFor() {
        assertNull(block.refusal(sizes(1, 192), true, false));
        assertEquals(
                "it has registers for the weights of 192 nodes at most", block.refusal(sizes(1, 193), true, false));
        assertNull(cluster.refusal(sizes(1, 512), false, false));
        assertEquals(
                "it has registers for the weights of 512 nodes at most", cluster.refusal(sizes(1, 513), false, false));
        assertNull(grid.refusal(sizes(256, 1024), false, false));
        assertEquals("it has room for 256 rows", grid.refusal(sizes(257, 1024), false, false));
        assertNull(plan(Family.CLUSTER, device(90, 8), false).refusal(sizes(1, 512), false, false));
        assertEquals(
                "it needs 8 multiprocessors, and here are 7",
                plan(Family.CLUSTER, device(90, 7), false).refusal(sizes(1, 512), false, false));
        assertEquals(
                "this device has no cooperative launches",
                plan(Family.GRID, new Device(90, 12010, H100, false), false).refusal(sizes(1, 512), false, false));
        assertEquals(
                "it needs 128 multiprocessors, and here are 40",
                plan(Family.GRID, device(90, 40), false).refusal(sizes(1, 2048), false, false));
        assertNull(tensor.refusal(sizes(128, 2048), true, false));
        assertEquals("it has room for 128 rows", tensor.refusal(sizes(129, 2048), true, false));
        assertEquals("it has room for 768 rows", tensor.refusal(sizes(769, 512), false, false));
        assertEquals(
                "it has registers for the weights of 2048 nodes at most", tensor.refusal(sizes(1, 2049), false, false));
        assertEquals(
                "it needs 32 multiprocessors, and here are 31",
                plan(Family.TENSOR_TF32, device(90, 31), true).refusal(sizes(1, 1024), false, false));
    }

    @Test
    void clustersNeedTheDeviceAndTheDriver() {
        assertNull(device(90, 40).withoutClusters());
        assertEquals("its kernels need a driver of CUDA 12.1", new Device(90, 12000, 40, true).withoutClusters());
        Device older = new Device(89, 13000, 40, true);
        assertEquals("clusters of blocks need compute capability 9.0", older.withoutClusters());
        for (Family family : List.of(Family.CLUSTER, Family.TENSOR_CLUSTER_TF32)) {
            assertEquals(older.withoutClusters(), plan(family, older, false).refusal(sizes(1, 256), false, false));
        }
        assertEquals(
                "it multiplies in TF32, and products here are strict float32",
                plan(Family.TENSOR_CLUSTER_TF32, device(90, 40), false).refusal(sizes(1, 256), false, false));
    }

    @Test
    void tensorCoresNeedTheDevice() {
        assertNull(device(80, H100).withoutTensorCores());
        Device older = device(75, H100);
        assertEquals("tensor cores that take TF32 need compute capability 8.0", older.withoutTensorCores());
        for (Family family : List.of(Family.TENSOR, Family.TENSOR_BLOCK)) {
            assertEquals(older.withoutTensorCores(), plan(family, older, false).refusal(sizes(1, 1), false, false));
        }
    }

    /** A pass on tensor cores pays from some rows on: where the others take so many passes that they take longer. */
    @Test
    void tensorCoresAreForManyRows() {
        assertEquals("grid", fastest(8, 1024, false));
        assertEquals("tensor", fastest(128, 1024, false));
        assertEquals("tensor", fastest(128, 1024, true));
        assertEquals("cluster", fastest(32, 512, false));
        assertEquals("cluster", fastest(90, 384, false));
        assertEquals("tensor", fastest(128, 384, false));
        assertEquals("tensor", fastest(128, 512, false));
        assertEquals("cluster", fastest(1, 512, true));
        assertEquals("tensor-cluster", fastest(32, 512, true));
        assertEquals("tensor-cluster", fastest(64, 384, true));
        assertEquals("tensor-cluster", fastest(105, 384, true));
        assertEquals("tensor", fastest(106, 384, true));
        assertEquals("cluster", fastest(120, 256, true));
        assertEquals("tensor-cluster", fastest(512, 256, true));
        assertEquals("cluster", fastest(512, 256, false));
        assertEquals("tensor", fastest(128, 512, true));
        assertEquals("tensor-block", fastest(512, 192, true));
        assertEquals("block", fastest(512, 192, false));
        assertEquals("block", fastest(128, 64, true));
        assertEquals("tensor-block", fastest(512, 64, false));
        assertEquals("block", fastest(264, 128, true));
        assertEquals("tensor-block", fastest(265, 128, true));
        assertEquals("block", fastest(512, 128, false));
        assertEquals("grid", fastest(1, 2048, true));
    }

    /** Ten rows have a cluster each, twenty do not. */
    @Test
    void aLayerOfBothDirectionsIsExplainedByItself() {
        SequencePlan other = plan(Family.TENSOR_CLUSTER_TF32);
        Planner planner = new Planner(List.of(cluster, other), null);
        assertEquals("cluster", planner.explain(sizes(10, 512), 1, false).plan());
        RecurrenceChoice both = planner.explain(sizes(10, 512), 2, false);
        assertEquals("tensor-cluster", both.plan());
        assertTrue(both.reason().startsWith("0.81 us a step"), both.reason());
        assertTrue(both.reason().contains("not cluster: 0.82 us"), both.reason());
    }

    private String fastest(int rows, int hidden, boolean tf32) {
        SequencePlan cores = plan(tf32 ? Family.TENSOR_TF32 : Family.TENSOR);
        SequencePlan coresOfBlock = plan(tf32 ? Family.TENSOR_BLOCK_TF32 : Family.TENSOR_BLOCK);
        SequencePlan coresOfCluster = plan(Family.TENSOR_CLUSTER_TF32, device(90, H100), tf32);
        StepsPlan steps = new StepsPlan(null, null, null, null, null);
        GraphPlan graph = new GraphPlan(null, steps, null);
        Operands.Rnn sizes = new Operands.Rnn(rows, 512, hidden, hidden);
        RecurrencePlan best = new Planner(
                        List.of(block, coresOfBlock, cluster, coresOfCluster, grid, cores, steps), null)
                .choose(sizes, 1, false, false);
        return graph.expectedMicros(sizes, 1, false, false) < best.expectedMicros(sizes, 1, false, false)
                ? graph.name()
                : best.name();
    }

    /**
     * What an H200 took that had been busy before, in microseconds a step, forward: {@code recurrences-d94b654},
     * {@code -before-d94b654} and {@code -to-d94b654} in {@code ci/measured}.
     */
    @Test
    void whatIsExpectedIsNearWhatWasMeasured() {
        assertNear(0.304, block, 32, 64);
        assertNear(0.465, block, 512, 64);
        assertNear(0.301, block, 1, 128);
        assertNear(0.435, block, 32, 192);
        assertNear(0.711, block, 512, 128);
        assertNear(1.289, block, 512, 192);
        assertNear(0.46, cluster, 1, 256);
        assertNear(0.67, cluster, 128, 256);
        assertNear(2.487, cluster, 512, 256);
        assertNear(0.531, cluster, 1, 512);
        assertNear(0.835, cluster, 32, 384);
        assertNear(1.154, cluster, 32, 512);
        assertNear(2.812, cluster, 128, 512);
        assertNear(0.789, grid, 32, 256);
        assertNear(1.681, grid, 32, 512);
        assertNear(0.981, grid, 1, 1024);
        assertNear(3.648, grid, 32, 1024);
        assertNear(14.349, grid, 128, 1024);
        assertNear(1.142, grid, 1, 2048);
        assertNear(24.08, grid, 32, 2048);
        assertNear(1.432, Family.TENSOR, 128, 256);
        assertNear(2.804, Family.TENSOR, 512, 256);
        assertNear(1.629, Family.TENSOR, 128, 384);
        assertNear(4.884, Family.TENSOR, 512, 384);
        assertNear(2.299, Family.TENSOR, 128, 512);
        assertNear(7.97, Family.TENSOR, 512, 512);
        assertNear(4.103, Family.TENSOR, 128, 768);
        assertNear(16.025, Family.TENSOR, 512, 768);
        assertNear(2.27, Family.TENSOR, 32, 1024);
        assertNear(7.513, Family.TENSOR, 128, 1024);
        assertNear(29.705, Family.TENSOR, 512, 1024);
        assertNear(2.937, Family.TENSOR, 8, 2048);
        assertNear(7.236, Family.TENSOR, 32, 2048);
        assertNear(28.745, Family.TENSOR, 128, 2048);
        assertNear(1.161, Family.TENSOR_TF32, 128, 256);
        assertNear(2.249, Family.TENSOR_TF32, 512, 256);
        assertNear(1.197, Family.TENSOR_TF32, 128, 384);
        assertNear(3.305, Family.TENSOR_TF32, 512, 384);
        assertNear(1.456, Family.TENSOR_TF32, 128, 512);
        assertNear(4.636, Family.TENSOR_TF32, 512, 512);
        assertNear(2.212, Family.TENSOR_TF32, 128, 768);
        assertNear(8.406, Family.TENSOR_TF32, 512, 768);
        assertNear(1.409, Family.TENSOR_TF32, 32, 1024);
        assertNear(3.877, Family.TENSOR_TF32, 128, 1024);
        assertNear(1.897, Family.TENSOR_TF32, 8, 2048);
        assertNear(15.003, Family.TENSOR_TF32, 128, 2048);
        assertNear(0.37, Family.TENSOR_BLOCK, 512, 64);
        assertNear(0.735, Family.TENSOR_BLOCK, 512, 128);
        assertNear(0.305, Family.TENSOR_BLOCK_TF32, 512, 64);
        assertNear(0.52, Family.TENSOR_BLOCK_TF32, 512, 128);
        assertNear(0.831, Family.TENSOR_BLOCK_TF32, 512, 192);
        assertNear(0.881, Family.TENSOR_CLUSTER_TF32, 32, 256);
        assertNear(0.972, Family.TENSOR_CLUSTER_TF32, 512, 256);
        assertNear(0.736, Family.TENSOR_CLUSTER_TF32, 32, 384);
        assertNear(0.894, Family.TENSOR_CLUSTER_TF32, 32, 512);
        assertNear(1.192, Family.TENSOR_CLUSTER_TF32, 64, 512);
    }

    private static void assertNear(double measured, Family family, int n, int h) {
        double expected = size(family, h).share(n, 1, H100, false, false).micros();
        assertEquals(measured, expected, 0.15 * measured, family + ", N = " + n + ", H = " + h);
    }

    /** More than eight rows of a group go sixteen at a time, where that has a kernel and saves passes that take longer. */
    @Test
    void tensorTakesSixteenRowsInAPassWhereThatIsFaster() {
        assertShare(8, 8, 4, share(Family.TENSOR, 1024, 32));
        assertShare(8, 9, 4, share(Family.TENSOR, 1024, 33)); // has none
        assertShare(16, 9, 4, share(Family.TENSOR_TF32, 1024, 33));
        assertShare(16, 32, 4, share(Family.TENSOR_TF32, 1024, 128));
        assertShare(8, 24, 4, share(Family.TENSOR_TF32, 1024, 96));
        assertShare(8, 32, 16, share(Family.TENSOR, 512, 512));
        assertShare(16, 32, 16, share(Family.TENSOR_TF32, 512, 512));
        // Of 512 nodes in TF32 the way back has no kernel of sixteen, and of 1024 in float32 no way has.
        assertShare(8, 32, 16, size(Family.TENSOR_TF32, 512).share(512, 1, H100, true, false));
        assertShare(8, 32, 4, size(Family.TENSOR, 1024).share(128, 1, H100, true, false));
        assertShare(16, 32, 4, size(Family.TENSOR_TF32, 1024).share(128, 1, H100, true, false));
    }

    @Test
    void blocksAreHandedSharedMemoryForSumsOfMoreThanOneTile() {
        assertEquals(0, size(Family.TENSOR_TF32, 512).sharedBytes(8));
        assertEquals(16 * 64 * 16 * 4, size(Family.TENSOR_TF32, 512).sharedBytes(16));
        assertEquals(12 * 48 * 16 * 4, size(Family.TENSOR, 384).sharedBytes(16));
        assertEquals(0, size(Family.BLOCK, 64).sharedBytes(4));
    }

    @Test
    void aClusterOnTensorCoresHasEightRowsAtMost() {
        assertShare(8, 3, 11, share(Family.TENSOR_CLUSTER_TF32, 512, 32));
        assertShare(8, 8, 15, share(Family.TENSOR_CLUSTER_TF32, 512, 120));
        assertShare(8, 5, 26, share(Family.TENSOR_CLUSTER_TF32, 512, 128)); // in two rounds, as full as each other
    }

    private static void assertNear(double measured, RecurrencePlan plan, int n, int h) {
        assertEquals(
                measured,
                plan.expectedMicros(sizes(n, h), 1, false, false),
                0.15 * measured,
                "N = " + n + ", H = " + h);
    }

    private static void assertShare(int together, int rowsPerGroup, int groups, Share share) {
        assertEquals(new Share(together, rowsPerGroup, groups, share.micros()), share);
    }

    private static Share share(Family family, int hidden, int rows) {
        return size(family, hidden).share(rows, 1, H100, false, false);
    }

    private static SequenceSize size(Family family, int hidden) {
        return SequenceSize.ALL.stream()
                .filter(size -> size.family() == family && size.hidden() == hidden)
                .findFirst()
                .orElseThrow();
    }

    private static Operands.Rnn sizes(int n, int h) {
        return new Operands.Rnn(n, 5, 7, h);
    }
}
