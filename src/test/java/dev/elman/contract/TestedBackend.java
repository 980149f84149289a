package dev.elman.contract;

import dev.elman.backend.Backend;
import dev.elman.cpu.CpuBackend;
import dev.elman.reference.ReferenceBackend;

/** The backends that are everywhere, for tests that are the same for all of them. */
public enum TestedBackend {
    REFERENCE,
    CPU;

    public Backend open() {
        return switch (this) {
            case REFERENCE -> new ReferenceBackend();
            case CPU -> CpuBackend.open();
        };
    }
}
