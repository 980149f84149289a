package dev.elman.data;

import java.util.List;
import java.util.Locale;

/** Where names come from: the JDK, or a handful of names in a test. */
interface NameSource {
    /**
     * A name as the source gives it, before any cleaning.
     *
     * @param concept what is named; the same key in every language
     * @param text the name
     */
    record Name(String concept, String text) {}

    /** All names in one language, in an order that does not change from call to call. */
    List<Name> names(Locale language);
}
