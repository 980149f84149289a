package dev.elman.contract;

import dev.elman.backend.Backend;
import dev.elman.cpu.CpuBackend;
import dev.elman.reference.ReferenceBackend;

/** Every backend, for tests that are the same for all of them. */
public enum TestedBackend {
    REFERENCE,
    CPU;

    /** Skips the test where there is no such backend, see {@link Required}. */
    public Backend open() {
        return switch (this) {
            case REFERENCE -> Required.open("reference", ReferenceBackend::new);
            case CPU -> Required.open("cpu", CpuBackend::open);
        };
    }
}
