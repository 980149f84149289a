package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Operands;
import dev.elman.cuda.SequencePlan.Size;
import org.junit.jupiter.api.Test;

/** What the plans of one launch can run and how they share rows out, which needs no GPU. */
class SequencePlanTest {
    private static final int H100 = 132;

    private final SequencePlan block = SequencePlan.block(null, null, H100);
    private final SequencePlan cluster = SequencePlan.cluster(null, null, H100, 90);

    @Test
    void aGroupHasOneRowUntilAllGroupsHave() {
        assertEquals(1, Size.H128.rowsPerGroup(264, H100));
        assertEquals(2, Size.H128.rowsPerGroup(265, H100));
        assertEquals(8, Size.H128.rowsPerGroup(100_000, H100));
        assertEquals(4, Size.H64.rowsPerGroup(300, H100));
        assertEquals(1, Size.H512.rowsPerGroup(16, H100));
        assertEquals(4, Size.H512.rowsPerGroup(17, H100));
        assertEquals(8, Size.H512.rowsPerGroup(Integer.MAX_VALUE, H100));
        assertEquals(4, Size.H512.rowsPerGroup(3, 1));
    }

    @Test
    void theyRefuseWhatTheyHaveNoRoomFor() {
        assertNull(block.refusal(sizes(1, 192), true));
        assertEquals("it has registers for the weights of 192 nodes at most", block.refusal(sizes(1, 193), true));
        assertNull(cluster.refusal(sizes(1, 512), false));
        assertEquals("it has registers for the weights of 512 nodes at most", cluster.refusal(sizes(1, 513), false));
        assertEquals(
                "clusters of blocks need compute capability 9.0",
                SequencePlan.cluster(null, null, 40, 89).refusal(sizes(1, 256), false));
    }

    @Test
    void aClusterIsNotForHugeBatches() {
        assertNull(cluster.drawback(sizes(1024, 512), false));
        assertNotNull(cluster.drawback(sizes(2048, 512), false));
        assertNull(block.drawback(sizes(Integer.MAX_VALUE, 192), false));
    }

    /** The figures that stand beside the kernels. */
    @Test
    void whatIsPredictedIsWhatTheKernelsSay() {
        assertEquals(0.17, block.predictedMicros(sizes(32, 64), false), 0.005);
        assertEquals(0.22, block.predictedMicros(sizes(132, 128), false), 0.005);
        assertEquals(0.31, block.predictedMicros(sizes(1, 192), false), 0.005);
        assertEquals(0.19, block.predictedMicros(sizes(1, 128), true), 0.005);
        assertEquals(0.67, cluster.predictedMicros(sizes(33, 256), false), 0.005);
        assertEquals(0.71, cluster.predictedMicros(sizes(16, 512), true), 0.005);
        double further = block.predictedMicros(sizes(133, 128), false) - block.predictedMicros(sizes(132, 128), false);
        assertEquals(0.07, further, 0.005);
    }

    @Test
    void everySizeHasItsKernels() {
        for (Size size : Size.values()) {
            for (boolean backward : new boolean[] {false, true}) {
                for (boolean oneRow : new boolean[] {false, true}) {
                    Kernel kernel = size.kernel(backward, oneRow);
                    assertTrue(kernel.entry().contains(backward ? "backward" : "forward"), kernel.entry());
                }
            }
        }
    }

    private static Operands.Rnn sizes(int n, int h) {
        return new Operands.Rnn(n, 5, 7, h);
    }
}
