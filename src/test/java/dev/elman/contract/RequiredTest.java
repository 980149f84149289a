package dev.elman.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import dev.elman.reference.ReferenceBackend;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.opentest4j.TestAbortedException;

class RequiredTest {
    private static Backend absent() {
        throw new BackendUnavailableException("There is none in this machine.");
    }

    @Test
    void whatIsThereIsOpened() {
        try (Backend backend = Required.open("reference", ReferenceBackend::new, "")) {
            assertEquals("reference", backend.name());
        }
    }

    @Test
    void whatIsNotThereIsSkippedByName() {
        String said = "tests of backend imaginary, because: There is none in this machine.";
        assertSkips(said, () -> Required.open("imaginary", RequiredTest::absent, "cpu"));
    }

    /** With a line in the words that ci/check.sh looks for, which is kept from it here. */
    private static void assertSkips(String said, Executable test) {
        PrintStream console = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        Exception skipped;
        try {
            skipped = assertThrows(TestAbortedException.class, test);
        } finally {
            System.setOut(console);
        }
        assertEquals(
                "SKIPPED: " + said, printed.toString(StandardCharsets.UTF_8).strip());
        assertEquals("not run: " + said.replace(", because: ", ": "), skipped.getMessage());
    }

    @Test
    void whatIsRequiredFails() {
        Error failed = assertThrows(
                AssertionError.class, () -> Required.open("imaginary", RequiredTest::absent, "cpu,imaginary"));
        assertTrue(
                failed.getMessage().contains("imaginary") && failed.getMessage().contains("none in this machine"));
    }

    @Test
    void whatIsMissingSkipsUnlessItIsRequired() {
        Required.that(true, "javac", "examples", "it is there", "javac");
        assertSkips(
                "examples, because: a runtime",
                () -> Required.that(false, "javac", "examples", "a runtime", "cuda,java"));
        AssertionError failed = assertThrows(
                AssertionError.class, () -> Required.that(false, "javac", "examples", "a runtime", "cuda,javac"));
        assertEquals("javac is required here for examples, but: a runtime", failed.getMessage());
    }
}
