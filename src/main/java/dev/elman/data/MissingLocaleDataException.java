package dev.elman.data;

import java.util.List;

/** This Java runtime does not know the names of the built-in data set; the message says what to do. */
public final class MissingLocaleDataException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    MissingLocaleDataException(List<String> languages) {
        super("The built-in data set is made of names that the JDK knows, but this Java runtime (" + Runtime.version()
                + ") has none in " + String.join(", ", languages) + ". " + remedy());
    }

    private static String remedy() {
        if (ModuleLayer.boot().findModule("jdk.localedata").isEmpty()) {
            return "Its module jdk.localedata is missing: run on a complete JDK, or make the runtime image with "
                    + "jlink --add-modules jdk.localedata.";
        }
        return "Its module jdk.localedata is there, so another source of names is in use: remove the option "
                + "-Djava.locale.providers, which is now " + System.getProperty("java.locale.providers", "not set")
                + ".";
    }
}
