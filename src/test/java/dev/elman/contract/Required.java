package dev.elman.contract;

import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import java.util.Set;
import java.util.function.Supplier;
import org.opentest4j.TestAbortedException;

/**
 * A backend that is not there skips its tests, by name and with the reason; but where {@code -Delman.require} names it (or
 * several, with commas) they fail.
 */
public final class Required {
    private Required() {}

    public static Backend open(String name, Supplier<Backend> opener) {
        return open(name, opener, System.getProperty("elman.require", ""));
    }

    static Backend open(String name, Supplier<Backend> opener, String required) {
        try {
            return opener.get();
        } catch (BackendUnavailableException e) {
            if (Set.of(required.split(",")).contains(name)) {
                throw new AssertionError("Backend " + name + " is required here, but: " + e.getMessage(), e);
            }
            System.out.println("SKIPPED: tests of backend " + name + ", because: " + e.getMessage());
            throw new TestAbortedException("no backend " + name + ": " + e.getMessage(), e);
        }
    }
}
