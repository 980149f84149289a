package dev.elman.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.text.PadSequences.Side;
import org.junit.jupiter.api.Test;

/** Our own errors and helpers; the values are Keras's, in KerasTextTest. */
class PadSequencesTest {
    private static final int[][] ROWS = {{1}, {2, 3, 4}, {}};

    @Test
    void theDefaultsAreKeras() {
        assertArrayEquals(new int[][] {{0, 0, 1}, {2, 3, 4}, {0, 0, 0}}, PadSequences.padSequences(ROWS));
    }

    @Test
    void theInputStaysAndTheOutputIsNew() {
        int[][] rows = {{1, 2}, {3, 4}};
        int[][] padded = PadSequences.padSequences(rows);
        padded[0][0] = 9;
        assertArrayEquals(new int[][] {{1, 2}, {3, 4}}, rows);
        float[][][] vectors = {{{1}}};
        PadSequences.options().apply(vectors)[0][0][0] = 9;
        assertEquals(1, vectors[0][0][0]);
    }

    @Test
    void settersLeaveTheirReceiverAlone() {
        PadSequences one = PadSequences.options().maxlen(1);
        one.maxlen(5).padding(Side.POST).truncating(Side.POST).value(7);
        assertArrayEquals(new int[][] {{1}, {4}, {0}}, one.apply(ROWS));
    }

    @Test
    void theMaskIsWhereTheSequencesAre() {
        boolean[][] before = {{false, false, true}, {true, true, true}, {false, false, false}};
        assertArrayEquals(before, PadSequences.options().mask(ROWS));
        boolean[][] behind = {{true, false, false}, {true, true, true}, {false, false, false}};
        assertArrayEquals(behind, PadSequences.options().padding(Side.POST).mask(ROWS));
        boolean[][] cut = {{false, true}, {true, true}, {false, false}};
        assertArrayEquals(cut, PadSequences.options().maxlen(2).mask(ROWS));
        assertArrayEquals(
                new boolean[][] {{true}}, PadSequences.options().value(7).mask(new int[][] {{7}}), "7 is an id here");
        assertArrayEquals(new boolean[0][], PadSequences.options().maxlen(2).mask(new int[0][]));
    }

    /** NumPy broadcasts one id into no room at all, so Keras lets this through; two ids it refuses. */
    @Test
    void noRoomForOneIdIsRefusedWhereKerasLosesIt() {
        PadSequences none = PadSequences.options().maxlen(0);
        assertThrows(IllegalArgumentException.class, () -> none.apply(new int[][] {{1}}));
        assertArrayEquals(new int[][] {{}}, none.truncating(Side.POST).apply(new int[][] {{1}}));
    }

    @Test
    void vectorsMayBeMissingButNotAll() {
        assertArrayEquals(new float[][][] {{}, {}}, PadSequences.options().apply(new float[][][] {{}, {}}));
        assertArrayEquals(new float[0][][], PadSequences.options().maxlen(3).apply(new float[0][][]));
        assertRefused("to know D", () -> PadSequences.options().maxlen(2).apply(new float[][][] {{}, {}}));
    }

    @Test
    void errorsNameThePlace() {
        assertRefused("position 1", () -> PadSequences.padSequences(new int[][] {{1}, null}));
        assertRefused(
                "D = 2, given 1 in the sequence at position 1",
                () -> PadSequences.options().apply(new float[][][] {{{1, 2}}, {{1}}}));
        // Keras does not look at steps that truncation drops.
        assertRefused(
                "D = 1, given 2", () -> PadSequences.options().maxlen(1).apply(new float[][][] {{{1}}, {{1, 2}, {1}}}));
        assertRefused("D = 0, given 1", () -> PadSequences.options().apply(new float[][][] {{{}, {1}}}));
        assertRefused(
                "vectors of one size, given null in the sequence at position 0",
                () -> PadSequences.options().apply(new float[][][] {{null}}));
        assertRefused("given 0.5", () -> PadSequences.options().value(0.5).apply(ROWS));
        assertRefused(
                "given NaN", () -> PadSequences.options().value(Double.NaN).apply(ROWS));
        assertRefused("given null", () -> PadSequences.padSequences(null));
        assertRefused(
                "maxlen of 0 or more, given -1", () -> PadSequences.options().maxlen(-1));
        assertRefused("padding of PRE or POST", () -> PadSequences.options().padding(null));
        assertRefused("truncating of PRE or POST", () -> PadSequences.options().truncating(null));
    }

    private static void assertRefused(String part, org.junit.jupiter.api.function.Executable call) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call);
        assertTrue(
                e.getMessage().startsWith("pad_sequences: expected ")
                        && e.getMessage().contains(part),
                e.getMessage());
    }
}
