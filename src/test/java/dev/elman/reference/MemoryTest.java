package dev.elman.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import org.junit.jupiter.api.Test;

class MemoryTest {
    /** 16 and 8 GiB. */
    @Test
    void aTensorThatFitsNoHeapDoesNotCount() {
        Shape large = Shape.of(Integer.MAX_VALUE - 8);
        try (Backend backend = new ReferenceBackend()) {
            assertThrows(OutOfMemoryError.class, () -> backend.allocate(large));
            assertThrows(OutOfMemoryError.class, () -> backend.allocateInts(large));
            assertEquals(0, backend.liveTensors());
        }
    }

    @Test
    void aTensorThatFitsNoArrayIsRefused() {
        Shape larger = Shape.of(1 << 20, 1 << 20);
        try (Backend backend = new ReferenceBackend()) {
            assertThrows(IllegalArgumentException.class, () -> backend.allocate(larger));
            assertThrows(IllegalArgumentException.class, () -> backend.allocateInts(larger));
        }
    }
}
