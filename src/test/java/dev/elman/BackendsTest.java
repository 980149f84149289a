package dev.elman;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.contract.Logged;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackendsTest {
    /** Whatever there is here, and why it is not something faster. */
    @Test
    void theChoiceIsLogged() {
        List<Backends.Choice> choices = new ArrayList<>();
        List<String> logged = Logged.during(() -> choices.add(Backends.choose(Backends.AUTO)));
        Backends.Choice choice = choices.get(0);
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
