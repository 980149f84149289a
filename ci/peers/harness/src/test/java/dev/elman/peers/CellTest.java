package dev.elman.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the report concludes from times. */
class CellTest {
    private static final Sizes SIZES = new Sizes(1, 10, 50, 50);

    private static Cell cell(Map<String, double[]> millis) {
        return new Cell(SIZES, Mode.FORWARD, new LinkedHashMap<>(millis));
    }

    @Test
    void quartilesLieBetweenNeighbours() {
        assertEquals(new Quartiles(1.75, 2.5, 3.25), Quartiles.of(4, 1, 3, 2));
        assertEquals(new Quartiles(7, 7, 7), Quartiles.of(7));
    }

    @Test
    void theBestPeerIsTheFastestOverAllRoundsAndNeverElman() {
        Cell cell = cell(Map.of(
                "elman", new double[] {1, 1, 1},
                "once", new double[] {2, 9, 9},
                "always", new double[] {3, 3, 3}));
        assertEquals(Optional.of("always"), cell.best());
        assertEquals(Optional.empty(), cell(Map.of("once", new double[] {1})).best());
        assertEquals(Optional.empty(), cell(Map.of("elman", new double[] {1})).best());
    }

    /** The medians of all rounds are equal here, the ratio is not 1. */
    @Test
    void ratiosAreTakenWithinARound() {
        Cell cell = cell(Map.of("elman", new double[] {1, 2, 4}, "other", new double[] {2, 4, 1}));
        assertEquals(0.5, cell.ratioTo("other").median());
    }

    @Test
    void countsOperations() {
        assertEquals(
                2 * 10 * 50 * 100 / 1e6, cell(Map.of("elman", new double[] {1})).gflops("elman"), 1e-12);
        assertEquals(3, Mode.FORWARD_BACKWARD.operations(SIZES) / Mode.FORWARD.operations(SIZES));
    }

    @Test
    void numbersHaveThreeDigitsThatCount() {
        assertEquals("0.000456", Markdown.number(0.0004561));
        assertEquals("4.56", Markdown.number(4.561));
        assertEquals("4561", Markdown.number(4561.2));
        assertEquals("0", Markdown.number(0));
        assertEquals("-0.456", Markdown.number(-0.4561));
    }

    @Test
    void judgesByMedianOrQuartiles() {
        assertEquals(Verdict.YES, Verdict.of(new Quartiles(1.04, 1.05, 1.3)));
        assertEquals(Verdict.IF_REPEATED, Verdict.of(new Quartiles(0.99, 1.06, 1.3)));
        assertEquals(Verdict.NO, Verdict.of(new Quartiles(1.01, 1.06, 1.3)));
    }

    @Test
    void meansAreGeometricAndOverBothTables() {
        Markdown text = new Markdown();
        List<Cell> cells = List.of(
                new Cell(SIZES, Mode.FORWARD, Map.of("elman", new double[] {1}, "djl", new double[] {8})),
                new Cell(SIZES, Mode.FORWARD_BACKWARD, Map.of("elman", new double[] {1}, "djl", new double[] {2})));
        new TablesReport(cells).writeTo(text, 1);
        assertTrue(text.toString().contains("| both | 4.00 | 4.00 |"), text.toString());
        assertTrue(text.toString().contains("| (1,10,50,50) | djl | 0.13 | 0.13 to 0.13 | yes |"), text.toString());
    }
}
