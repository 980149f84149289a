package dev.elman.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** What elman says in its log. */
public final class Logged {
    private Logged() {}

    /** While something runs; nobody else hears it. */
    public static List<String> during(Runnable action) {
        List<String> logged = new ArrayList<>();
        Handler keeper = new Handler() {
            @Override
            public void publish(LogRecord said) {
                logged.add(new SimpleFormatter().formatMessage(said));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger log = Logger.getLogger("dev.elman");
        Level usual = log.getLevel();
        log.setLevel(Level.INFO);
        log.setUseParentHandlers(false);
        log.addHandler(keeper);
        try {
            action.run();
        } finally {
            log.removeHandler(keeper);
            log.setUseParentHandlers(true);
            log.setLevel(usual);
        }
        return logged;
    }
}
