package dev.elman;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.Test;

class BackendsTest {
    /** Whatever there is here, and why it is not something faster. */
    @Test
    void theChoiceIsLogged() {
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
        Logger log = Logger.getLogger(Backends.class.getName());
        Level usual = log.getLevel();
        log.setLevel(Level.INFO);
        log.setUseParentHandlers(false);
        log.addHandler(keeper);
        Backends.Choice choice = Backends.choose(Backends.AUTO);
        log.removeHandler(keeper);
        log.setUseParentHandlers(true);
        log.setLevel(usual);
        List<String> expected = new ArrayList<>();
        choice.passedOver().forEach(reason -> expected.add("passed over: " + reason));
        try (Backend backend = choice.backend()) {
            expected.add("using " + backend.description());
        }
        assertEquals(expected, logged);
    }

    @Test
    void anUnknownNameIsRefused() {
        for (String name : new String[] {"abacus", null}) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Backends.open(name));
            assertTrue(e.getMessage().startsWith("There is no backend \"" + name + "\"."), e.getMessage());
        }
    }
}
