package dev.elman.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.io.NdArray;
import java.util.List;
import org.junit.jupiter.api.Test;

class SequenceInputTest {
    @Test
    void arraysAreRows() {
        SequenceInput ids = SequenceInput.tokens(new int[][] {{1, 2, 3}, {4, 5, 6}});
        assertEquals(ids, SequenceInput.of(NdArray.ofInts(new int[] {1, 2, 3, 4, 5, 6}, 2, 3)));
        assertEquals(ids, SequenceInput.of(NdArray.ofLongs(new long[] {1, 2, 3, 4, 5, 6}, 2, 3)));
        SequenceInput features = SequenceInput.features(new float[][][] {{{1, 2}}, {{3, 4}}, {{5, 6}}});
        assertEquals(features, SequenceInput.of(NdArray.ofFloats(new float[] {1, 2, 3, 4, 5, 6}, 3, 1, 2)));
        assertEquals(features, SequenceInput.of(NdArray.ofDoubles(new double[] {1, 2, 3, 4, 5, 6}, 3, 1, 2)));
        assertEquals(
                0, SequenceInput.of(NdArray.ofFloats(new float[0], 0, 5, 2)).rows());
    }

    @Test
    void otherArraysAreRefused() {
        for (NdArray array : List.of(
                NdArray.ofInts(new int[1], 1),
                NdArray.ofInts(new int[1], 1, 1, 1),
                NdArray.ofFloats(new float[1], 1, 1),
                NdArray.ofFloats(new float[1], 1, 1, 1, 1))) {
            Exception e = assertThrows(IllegalArgumentException.class, () -> SequenceInput.of(array));
            assertTrue(e.getMessage().contains("but the array is " + array), e.getMessage());
        }
        NdArray large = NdArray.ofLongs(new long[] {1, 1L << 40}, 1, 2);
        Exception e = assertThrows(IllegalArgumentException.class, () -> SequenceInput.of(large));
        assertTrue(e.getMessage().contains("row 0, step 1 has 1099511627776"), e.getMessage());
    }
}
