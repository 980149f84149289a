package dev.elman.train;

import java.util.List;

/** What texts and labels must be before they are joined to others: a null would read as the word "null". */
final class Texts {
    private Texts() {}

    /** These strings, once none is null; {@code what} they are is for the message. */
    static List<String> present(String what, List<String> strings) {
        int at = 0;
        for (String string : strings) {
            if (string == null) {
                throw new IllegalArgumentException(what + " " + at + " is null. Leave it out, or give \"\".");
            }
            at++;
        }
        return strings;
    }
}
