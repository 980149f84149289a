package dev.elman.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.function.Executable;

/** What is thrown at whom, and that it says why. */
final class Refusals {
    private Refusals() {}

    /** An argument that cannot be. */
    static void refused(String part, Runnable action) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, action::run);
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }

    /** What cannot go on. */
    static void stopped(String part, Runnable action) {
        IllegalStateException e = assertThrows(IllegalStateException.class, action::run);
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }

    /** An argument that is null. */
    static void missing(String name, Executable action) {
        assertEquals(name, assertThrows(NullPointerException.class, action).getMessage());
    }
}
