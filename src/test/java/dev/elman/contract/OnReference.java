package dev.elman.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Backend;
import dev.elman.reference.ReferenceBackend;
import org.junit.jupiter.api.AfterEach;

/** Tests on the reference, each on one of its own, that leave no tensor open. */
public abstract class OnReference {
    protected final Backend backend = new ReferenceBackend();

    @AfterEach
    void nothingLeft() {
        assertEquals(0, backend.liveTensors());
        backend.close();
    }
}
