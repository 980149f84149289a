package dev.elman.rnn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.reference.ReferenceBackend;
import org.junit.jupiter.api.Test;

class SequencesTest {
    @Test
    void timeMajorAndBack() {
        float[][][] x = {{{1, 2}, {3, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}};
        try (Backend backend = new ReferenceBackend();
                Tensor tensor = Sequences.of(x).upload(backend)) {
            assertEquals("[3,2,2]", tensor.shape().toString());
            assertArrayEquals(new float[] {1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12}, tensor.toFloats());
            assertArrayEquals(x, Sequences.batchMajor(tensor));
            assertNull(Sequences.of(x).uploadMask(backend));
        }
    }

    @Test
    void raggedRowsAreRefusedOrPadded() {
        float[][][] x = {{{1}}, {{2}, {3}}, {}};
        assertMessage("row 1 has 2 steps", () -> Sequences.of(x));
        Sequences padded = Sequences.padded(x);
        try (Backend backend = new ReferenceBackend();
                Tensor tensor = padded.upload(backend);
                IntTensor mask = padded.uploadMask(backend)) {
            assertArrayEquals(new float[] {1, 2, 0, 0, 3, 0}, tensor.toFloats());
            assertArrayEquals(new int[] {1, 1, 0, 0, 1, 0}, mask.toInts());
        }
    }

    @Test
    void wrongInputIsNamed() {
        float[][][] x = {{{1, 2}, {3, 4}}};
        assertMessage("row 0, step 1 has 1 features", () -> Sequences.of(new float[][][] {{{1, 2}, {3}}}));
        assertMessage("row 0 has 3", () -> Sequences.of(x).withLengths(3));
        assertMessage("row 0 has -1", () -> Sequences.of(x).withLengths(-1));
        assertMessage("row 1 has 3", () -> Sequences.liveSteps(new int[] {2, 3}, 2));
        assertMessage("row 0 has -1", () -> Sequences.liveSteps(new int[] {-1}, 2));
        assertMessage("N = 1 lengths", () -> Sequences.of(x).withLengths(1, 1));
        assertMessage("N = 1 rows", () -> Sequences.of(x).withMask(new boolean[2][2]));
        assertMessage("T = 2 steps", () -> Sequences.of(x).withMask(new boolean[1][3]));
        assertMessage("row 1 is null", () -> Sequences.of(new float[][][] {{}, null}));
        assertMessage("row 1 is null", () -> Sequences.padded(new float[][][] {{}, null}));
        assertMessage("row 0, step 1 is null", () -> Sequences.of(new float[][][] {{{1}, null}}));
        float[][][] bad = {{{1, 2}, {3, Float.NaN}}};
        assertMessage("row 0, step 1, feature 1 is NaN", () -> Sequences.of(bad).requireFinite());
        Sequences.of(bad).withLengths(1).requireFinite();
    }

    /** What a layer returns of every step would else come out as N rows of other numbers. */
    @Test
    void arraysAreMadeOfTheirOwnRankAlone() {
        try (Backend backend = new ReferenceBackend();
                Tensor sequence = backend.allocate(Shape.of(2, 3, 4));
                Tensor matrix = sequence.slice(0, 1).reshape(Shape.of(3, 4))) {
            assertMessage("must be [N,C], but is [2,3,4]", () -> Sequences.rows(sequence));
            assertMessage("must be [T,N,C], but is [3,4]", () -> Sequences.batchMajor(matrix));
        }
    }

    @Test
    void moreThanAnArrayHoldsIsRefused() {
        float[][][] rows = new float[3000][0][];
        rows[0] = new float[1_000_000][0];
        assertMessage("N = 3000 rows of T = 1000000 steps", () -> Sequences.padded(rows));
        rows[0] = new float[1000][1000];
        assertMessage("steps of 1000 numbers", () -> Sequences.padded(rows));
    }

    private static void assertMessage(String part, Runnable action) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, action::run);
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }
}
