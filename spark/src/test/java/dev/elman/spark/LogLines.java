package dev.elman.spark;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;

/** What elman logs in this JVM, instead of the console, as long as it is open. */
final class LogLines extends AbstractAppender implements AutoCloseable {
    private static final String NAME = "dev.elman";

    private final List<String> lines = new CopyOnWriteArrayList<>();

    LogLines() {
        super("lines", null, null, false, Property.EMPTY_ARRAY);
        start();
        LoggerConfig config = new LoggerConfig(NAME, Level.INFO, false);
        config.addAppender(this, null, null);
        context().getConfiguration().addLogger(NAME, config);
        context().updateLoggers();
    }

    private static LoggerContext context() {
        return LoggerContext.getContext(false);
    }

    @Override
    public void append(LogEvent event) {
        lines.add(event.getLevel() + " " + event.getMessage().getFormattedMessage());
    }

    /** Those that match. */
    List<String> matching(String pattern) {
        return lines.stream().filter(line -> line.matches(pattern)).toList();
    }

    @Override
    public void close() {
        context().getConfiguration().removeLogger(NAME);
        context().updateLoggers();
        stop();
    }
}
