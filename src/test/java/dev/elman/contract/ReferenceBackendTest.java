package dev.elman.contract;

import dev.elman.reference.ReferenceBackend;

/** Values agree trivially here, by another instance; the promises are real. Its truth comes from slopes and PyTorch. */
class ReferenceBackendTest extends BackendContract {
    ReferenceBackendTest() {
        super("reference", ReferenceBackend::new);
    }
}
