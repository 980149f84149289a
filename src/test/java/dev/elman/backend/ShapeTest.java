package dev.elman.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ShapeTest {
    private final Shape shape = Shape.of(7, 3, 5);

    @Test
    void extentsAreCountedFromEitherEnd() {
        assertEquals(7, shape.extent(0));
        assertEquals(7, shape.extent(-3));
        assertEquals(5, shape.extent(-1));
        assertEquals(Shape.of(2, 3, 5), shape.withFirst(2));
        assertEquals(Shape.of(7, 3, 2), shape.withLast(2));
    }

    @Test
    void anAxisThatIsNotThereIsNamed() {
        assertMessage("The shape [7,3,5] has no axis 3.", () -> shape.extent(3));
        assertMessage("The shape [7,3,5] has no axis -4.", () -> shape.extent(-4));
        assertMessage("The shape [] has no axis 0.", () -> Shape.of().withFirst(1));
        assertMessage("The shape [] has no axis -1.", () -> Shape.of().withLast(1));
    }

    @Test
    void itStaysAsItIs() {
        int[] extents = {7, 3, 5};
        Shape made = Shape.of(extents);
        extents[0] = 2;
        made.extents()[1] = 2;
        assertEquals(shape, made);
    }

    @Test
    void whatNothingCanHaveIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
        for (int last : new int[] {8, 16}) { // 2^63 and 2^64
            Shape beyond = Shape.of(1 << 30, 1 << 30, last);
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, beyond::size);
            assertTrue(e.getMessage().contains("[1073741824,1073741824," + last + "]"), e.getMessage());
        }
        assertEquals(1L << 62, Shape.of(1 << 30, 1 << 30, 4).size());
        assertEquals(0, Shape.of(0, 1 << 30, 1 << 30, 8).size());
    }

    private static void assertMessage(String message, Runnable action) {
        assertEquals(
                message,
                assertThrows(IndexOutOfBoundsException.class, action::run).getMessage());
    }
}
