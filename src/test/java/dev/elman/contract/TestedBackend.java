package dev.elman.contract;

import dev.elman.backend.Backend;
import dev.elman.reference.ReferenceBackend;

/** Every backend, for tests that are the same for all of them. */
public enum TestedBackend {
    REFERENCE {
        @Override
        public Backend open() {
            return new ReferenceBackend();
        }
    };

    /** Skips the test where there is no such backend, see {@link Required}. */
    public abstract Backend open();
}
