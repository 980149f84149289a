package dev.elman.contract;

import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import java.util.Set;
import java.util.function.Supplier;
import org.opentest4j.TestAbortedException;

/**
 * What is not there skips its tests, by name and with the reason; but where {@code -Delman.require} names it (or several,
 * with commas) they fail.
 */
public final class Required {
    private Required() {}

    /** A backend, which is required as {@code name}. */
    public static <B extends Backend> B open(String name, Supplier<B> opener) {
        return open(name, opener, required());
    }

    static <B extends Backend> B open(String name, Supplier<B> opener, String required) {
        try {
            return opener.get();
        } catch (BackendUnavailableException e) {
            throw missing(name, "tests of backend " + name, e.getMessage(), e, required);
        }
    }

    /** Goes on only if it is there: {@code name}, which {@code tests} need; {@code reason} says why it is not. */
    public static void that(boolean there, String name, String tests, String reason) {
        that(there, name, tests, reason, required());
    }

    static void that(boolean there, String name, String tests, String reason, String required) {
        if (!there) throw missing(name, tests, reason, null, required);
    }

    /** To be thrown where {@code name}, which {@code tests} need, was looked for and is not there. */
    public static TestAbortedException missing(String name, String tests, String reason) {
        return missing(name, tests, reason, null, required());
    }

    private static String required() {
        return System.getProperty("elman.require", "");
    }

    private static TestAbortedException missing(
            String name, String tests, String reason, Throwable cause, String required) {
        if (Set.of(required.split(",")).contains(name)) {
            throw new AssertionError(name + " is required here for " + tests + ", but: " + reason, cause);
        }
        System.out.println("SKIPPED: " + tests + ", because: " + reason);
        return new TestAbortedException("not run: " + tests + ": " + reason, cause);
    }
}
