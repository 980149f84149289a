package dev.elman.cli;

/**
 * Keeps the library's log off the screen: commands say themselves what is worth saying. Java's own logging makes one of
 * these in place of reading its configuration, if it is told the name (see {@code java.util.logging.LogManager}), and
 * then has nothing that prints.
 */
public final class Silence {
    /** For Java's logging. */
    public Silence() {}

    /** To be called before anything is logged; does nothing where logging was configured, or wanted for debugging. */
    static void keep() {
        String name = "java.util.logging.config.";
        if (System.getProperty(name + "class") != null || System.getProperty(name + "file") != null) return;
        if (!Boolean.getBoolean("elman.debug")) System.setProperty(name + "class", Silence.class.getName());
    }
}
