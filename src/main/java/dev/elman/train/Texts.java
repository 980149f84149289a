package dev.elman.train;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** What texts and labels must be before they are joined to others: a null would read as the word "null". */
final class Texts {
    private Texts() {}

    /** These strings, once none is null; {@code what} they are is for the message. */
    static List<String> present(String what, List<String> strings) {
        int at = 0;
        for (String string : Objects.requireNonNull(strings, what + "s")) {
            if (string == null) {
                throw new IllegalArgumentException(what + " " + at + " is null. Leave it out, or give \"\".");
            }
            at++;
        }
        return strings;
    }

    /** These strings, once a file can hold each. */
    static List<String> writable(String what, List<String> strings) {
        int at = 0;
        for (String string : present(what, strings)) {
            if (!StandardCharsets.UTF_8.newEncoder().canEncode(string)) {
                throw new IllegalArgumentException(
                        what + " " + at + " holds half a surrogate pair, which no file can. Repair it.");
            }
            at++;
        }
        return strings;
    }
}
