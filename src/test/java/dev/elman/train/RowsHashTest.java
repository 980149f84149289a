package dev.elman.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class RowsHashTest {
    /** Each of which Arrays takes for the other. */
    @Test
    void rowsThatAreAlikeAreTold() {
        int[][] ids = {{1, 2}, {3, 4}};
        int[][] exchanged = {{1, 3}, {2, 4}};
        assertEquals(Arrays.deepHashCode(ids), Arrays.deepHashCode(exchanged));
        assertNotEquals(RowsHash.of(ids), RowsHash.of(exchanged));
        float[][][] x = {{{1, 2}, {3, 4}}};
        float[][][] exchangedToo = {{{1, 3}, {2, 4}}};
        assertEquals(Arrays.deepHashCode(x), Arrays.deepHashCode(exchangedToo));
        assertNotEquals(RowsHash.of(x), RowsHash.of(exchangedToo));
        assertNotEquals(RowsHash.of(new int[] {0, 31}), RowsHash.of(new int[] {1, 0}));
    }

    @Test
    void whereARowEndsIsToldToo() {
        assertNotEquals(RowsHash.of(new int[][] {{1}, {1, 1}}), RowsHash.of(new int[][] {{1, 1}, {1}}));
        assertNotEquals(RowsHash.of(new float[][][] {{{5}}, {{5}, {5}}}), RowsHash.of(new float[][][] {{{5}, {5}}, {{5}}
        }));
        assertNotEquals(RowsHash.of((float[]) null), RowsHash.of(new float[0]));
    }

    /** More numbers than are taken at once, the last of them too. */
    @Test
    void everyNumberCounts() {
        int[] row = new int[5000];
        long before = RowsHash.of(row);
        assertEquals(before, RowsHash.of(row.clone()));
        for (int i : new int[] {0, 2046, 2047, 2048, 4999}) {
            int[] other = row.clone();
            other[i] = 1;
            assertNotEquals(before, RowsHash.of(other), "number " + i);
        }
    }
}
