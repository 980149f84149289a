package dev.elman.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ToleranceTest {
    private static final double FLOAT = 0x1p-24;

    @Test
    void boundIsTheFormula() {
        assertEquals(8 * FLOAT * 10 * 3, new Tolerance(100, 3).bound(FLOAT, 2));
        assertEquals(8 * FLOAT * 10 * 5, new Tolerance(100, 3).bound(FLOAT, 5));
        assertEquals(0, Tolerance.EXACT.bound(FLOAT, 5));
    }

    @Test
    void nonFiniteNumbersAreNeverClose() {
        double[] wild = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
        for (double each : wild) {
            assertEquals(Double.POSITIVE_INFINITY, Tolerance.error(1, each, false));
            assertEquals(Double.POSITIVE_INFINITY, Tolerance.error(1, each, true));
            assertEquals(Double.POSITIVE_INFINITY, Tolerance.error(each, 1, true));
            assertEquals(Double.POSITIVE_INFINITY, Tolerance.error(each, each, false));
        }
    }

    @Test
    void theSameNonFiniteNumberIsRightWhereItIsWanted() {
        assertEquals(0, Tolerance.error(Double.NaN, Double.NaN, true));
        assertEquals(0, Tolerance.error(Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY, true));
        double other = Tolerance.error(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, true);
        assertEquals(Double.POSITIVE_INFINITY, other);
        assertEquals(Double.POSITIVE_INFINITY, Tolerance.error(Double.NaN, Double.POSITIVE_INFINITY, true));
    }

    @Test
    void nonsenseIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Tolerance(-1, 1));
        assertThrows(IllegalArgumentException.class, () -> new Tolerance(1, Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> new Tolerance(1, Double.POSITIVE_INFINITY));
    }

    /** Float sums stay within half of what is allowed, and the bound is not so wide that it says nothing. */
    @Test
    void floatSumsFitWithRoomAndNotTooMuch() {
        Random random = new Random(1);
        for (int terms : new int[] {1, 10, 100, 1000, 10_000}) {
            double worst = 0;
            double largest = 0;
            for (int round = 0; round < 1000; round++) {
                float sum = 0;
                double exact = 0;
                for (int i = 0; i < terms; i++) {
                    float a = random.nextFloat() * 2 - 1;
                    float b = random.nextFloat() * 2 - 1;
                    sum += a * b;
                    exact += (double) a * b;
                }
                worst = Math.max(worst, Math.abs(sum - exact));
                largest = Math.max(largest, Math.abs(exact));
            }
            double bound = Tolerance.ofTerms(terms).bound(FLOAT, largest);
            assertTrue(worst < bound / 2, terms + " terms: " + worst + " of " + bound);
            assertTrue(worst > bound / 100, terms + " terms: " + worst + " of " + bound);
        }
    }
}
