package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PanelsTest {
    private static final int WIDTH = Panels.WIDTH;

    /** Nearly a panel, or one and nearly another, which is filled up with zeros as long as a buffer can hold that. */
    @ParameterizedTest
    @ValueSource(ints = {49, 63, WIDTH + 49})
    void fillAPanelUpOnlyWhereABufferHoldsIt(int columns) {
        int filled = (columns + WIDTH - 1) / WIDTH * WIDTH;
        int rows = Memory.LARGEST / (columns + WIDTH);
        assertEquals(4L * rows * filled, bytes(rows, columns));
        int mostRows = Memory.LARGEST / columns;
        assertEquals(4L * mostRows * columns, bytes(mostRows, columns));
    }

    /** Of a matrix that nobody has to allocate for that. */
    private static int bytes(int rows, int columns) {
        return Panels.bytes(new Matrix(null, 0, rows, columns, columns, false), false, 0);
    }
}
