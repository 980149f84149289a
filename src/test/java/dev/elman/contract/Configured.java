package dev.elman.contract;

import dev.elman.backend.Backend;
import java.util.function.Supplier;

/** A backend opened under a system property. */
final class Configured {
    private Configured() {}

    static Backend open(String property, String value, Supplier<Backend> opener) {
        String before = System.getProperty(property);
        System.setProperty(property, value);
        try {
            return opener.get();
        } finally {
            if (before == null) System.clearProperty(property);
            else System.setProperty(property, before);
        }
    }
}
