package dev.elman.cli;

/**
 * Keeps the library's log off the screen: commands say themselves what is worth saying. Java's own logging makes one of
 * these in place of reading its configuration, if it is told the name (see {@code java.util.logging.LogManager}), and
 * then has nothing that prints.
 */
public final class Silence {
    private static final String LOGGING = "java.util.logging.config.";
    /** Heeded by a runtime without the module java.logging. */
    private static final String SIMPLE_LOGGING = "jdk.system.logger.level";

    /** Heeded by slf4j, which jhdf logs through, and which complains when nothing listens. */
    private static final String SLF4J = "slf4j.internal.verbosity";

    /** For Java's logging. */
    public Silence() {}

    /** To be called before anything is logged; does nothing where logging was configured, or wanted for debugging. */
    static void keep() {
        if (Boolean.getBoolean(Main.DEBUG)) return;
        if (System.getProperty(LOGGING + "class") == null && System.getProperty(LOGGING + "file") == null) {
            System.setProperty(LOGGING + "class", Silence.class.getName());
        }
        if (System.getProperty(SIMPLE_LOGGING) == null) System.setProperty(SIMPLE_LOGGING, "OFF");
        if (System.getProperty(SLF4J) == null) System.setProperty(SLF4J, "ERROR");
    }
}
