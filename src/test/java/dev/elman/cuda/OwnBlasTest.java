package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.cuda.Blas.Form;
import dev.elman.cuda.OwnBlas.Tile;
import org.junit.jupiter.api.Test;

/** What our own products choose, which needs no GPU. */
class OwnBlasTest {
    private static final int H100 = 132;

    @Test
    void aTileIsAsLargeAsTheGpuCanBeKeptBusyWith() {
        assertEquals(Tile.SMALL, Tile.of(32, 1024, 1, H100));
        assertEquals(Tile.MIDDLE, Tile.of(512, 1024, 1, H100));
        assertEquals(Tile.LARGE, Tile.of(65536, 1024, 1, H100));
        assertEquals(Tile.LARGE, Tile.of(1024, 1024, 2, H100));
    }

    @Test
    void onlyTheGradientsOfWeightsAreCutAndOnlyWhereThatHelps() {
        assertEquals(1, OwnBlas.slices(Form.NN, 8, 8, 1 << 20));
        assertEquals(1, OwnBlas.slices(Form.NT, 8, 8, 1 << 20));
        assertEquals(1, OwnBlas.slices(Form.TN, 128, 128, 256));
        assertEquals(2, OwnBlas.slices(Form.TN, 128, 128, 257));
        assertEquals(128, OwnBlas.slices(Form.TN, 128, 128, 65536));
        assertEquals(2, OwnBlas.slices(Form.TN, 1024, 1024, 65536));
        assertEquals(1, OwnBlas.slices(Form.TN, 2048, 2048, 65536));
    }

    /** The slices' sums stay small beside any batch, and a slice's length fits 32 bits. */
    @Test
    void slicesAreBounded() {
        for (long side : new long[] {1, 63, 65, 300, 1025, 5000}) {
            for (long k : new long[] {1, 1000, 1L << 20, 5L << 30}) {
                long slices = OwnBlas.slices(Form.TN, side, side, k);
                if (k < 1L << 30) assertTrue(4 * slices * side * side <= 100 << 20, side + " " + k + " " + slices);
                assertTrue((k + slices - 1) / slices + 32 < Integer.MAX_VALUE, side + " " + k + " " + slices);
            }
        }
    }
}
