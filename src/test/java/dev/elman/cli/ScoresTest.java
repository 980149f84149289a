package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ScoresTest {
    /** No text has the third label, none was taken for the fourth, and neither for the last. */
    private static final Scores SCORES = new Scores(new int[][] {
        {6, 1, 1, 0, 0},
        {2, 2, 0, 0, 0},
        {0, 0, 0, 0, 0},
        {4, 0, 0, 0, 0},
        {0, 0, 0, 0, 0}
    });

    @Test
    void shares() {
        assertEquals(Arrays.asList(0.75, 0.5, null, 0.0, null), SCORES.recall());
        assertEquals(Arrays.asList(0.5, 2 / 3.0, 0.0, null, null), SCORES.precision());
    }

    @Test
    void theMeanIsOverLabelsThatOccur() {
        assertEquals((0.6 + 4 / 7.0 + 0 + 0) / 4, SCORES.macroF1(), 1e-12);
    }
}
