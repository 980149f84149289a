package dev.elman;

import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import dev.elman.reference.ReferenceBackend;

/** Front door. */
public final class Backends {
    private Backends() {}

    public static Backend open(String name) {
        if (name.equals("reference")) return new ReferenceBackend();
        throw new BackendUnavailableException("There is no backend " + name + ".");
    }
}
