package dev.elman.train;

import static dev.elman.train.Refusals.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.io.NdArray;
import java.util.List;
import org.junit.jupiter.api.Test;

class SequenceInputTest {
    @Test
    void arraysAreRows() {
        int[][] ids = {{1, 2, 3}, {4, 5, 6}};
        assertArrayEquals(ids, ids(NdArray.ofInts(new int[] {1, 2, 3, 4, 5, 6}, 2, 3)));
        assertArrayEquals(ids, ids(NdArray.ofLongs(new long[] {1, 2, 3, 4, 5, 6}, 2, 3)));
        float[][][] x = {{{1, 2}, {3, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}};
        assertArrayEquals(x, features(NdArray.ofFloats(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, 3, 2)));
        assertArrayEquals(
                x, features(NdArray.ofDoubles(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, 3, 2)));
        assertEquals(
                0, SequenceInput.of(NdArray.ofFloats(new float[0], 0, 5, 2)).rows());
    }

    private static int[][] ids(NdArray array) {
        return ((SequenceInput.Tokens) SequenceInput.of(array)).ids();
    }

    private static float[][][] features(NdArray array) {
        return ((SequenceInput.Features) SequenceInput.of(array)).x();
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

    @Test
    void aRowThatIsNullIsNamed() {
        String message = "Row 1 is null. An empty row is an array of length 0.";
        Exception e = assertThrows(IllegalArgumentException.class, () -> SequenceInput.tokens(new int[][] {{1}, null}));
        assertEquals(message, e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> SequenceInput.features(new float[][][] {{}, null}));
        assertEquals(message, e.getMessage());
    }

    /** A file of 128 bytes may speak of 2 billion of them. */
    @Test
    void rowsOfNothingAreRefused() {
        for (NdArray array : List.of(
                NdArray.ofInts(new int[0], 2_000_000_000, 0),
                NdArray.ofFloats(new float[0], 2_000_000_000, 5, 0),
                NdArray.ofFloats(new float[0], 2_000_000_000, 0, 5))) {
            Exception e = assertThrows(IllegalArgumentException.class, () -> SequenceInput.of(array));
            assertTrue(e.getMessage().contains("hold nothing"), e.getMessage());
        }
        assertEquals(
                0, SequenceInput.of(NdArray.ofInts(new int[0], 0, 1L << 59)).rows());
    }

    @Test
    void theFirstAndTheLastThatAModelCannotTakeAreNamed() {
        ClassifierConfig tokens = ClassifierConfig.tokens(3, 2).build();
        int[][] elsewhere = {null, {0, 2}};
        SequenceInput.tokens(elsewhere, new int[] {4, 2}).check(tokens);
        refused(
                "row 0, step 0 has 3.",
                () -> SequenceInput.tokens(new int[][] {{3}, {1}}).check(tokens));
        refused(
                "row 1, step 1 has -1.",
                () -> SequenceInput.tokens(new int[][] {{0}, {2, -1}}).check(tokens));
        ClassifierConfig features = ClassifierConfig.features(2, 2).build();
        SequenceInput.features(new float[][][] {null, {{1, 2}}}, new int[] {4, 1})
                .check(features);
        refused(
                "row 0, step 0 has 1.",
                () -> SequenceInput.features(new float[][][] {{{1}}}).check(features));
        float[][][] infinite = {{{1, 2}}, {{3, 4}, {1 / 0f, 5}}};
        refused(
                "row 1, step 1, feature 0 is Inf",
                () -> SequenceInput.features(infinite).check(features));
    }

    @Test
    void lengthsAreThoseOfTheRowsThatAreHere() {
        int[][] ids = {{1, 2}, null, {}};
        assertEquals(5, SequenceInput.tokens(ids, new int[] {2, 5, 0}).length(1));
        refused("2 lengths for 3 rows", () -> SequenceInput.tokens(ids, new int[] {2, 5}));
        refused("row 1 is -1", () -> SequenceInput.tokens(ids, new int[] {2, -1, 0}));
        refused("row 0 is said to be 1, but it has 2", () -> SequenceInput.tokens(ids, new int[] {1, 5, 0}));
        refused("row 2 is said to be 1, but it has 0", () -> SequenceInput.tokens(ids, new int[] {2, 5, 1}));
        float[][][] x = {{{1}}, null};
        assertEquals(5, SequenceInput.features(x, new int[] {1, 5}).length(1));
        refused("row 0 is said to be 3, but it has 1", () -> SequenceInput.features(x, new int[] {3, 5}));
    }
}
