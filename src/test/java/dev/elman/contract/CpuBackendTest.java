package dev.elman.contract;

import dev.elman.cpu.CpuBackend;

class CpuBackendTest extends BackendContract {
    CpuBackendTest() {
        super("cpu", CpuBackend::open);
    }
}
