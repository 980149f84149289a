package dev.elman.train;

import dev.elman.cpu.CpuBackend;

class CpuLanguageModelTest extends LanguageModelContract {
    CpuLanguageModelTest() {
        super("cpu", CpuBackend::open);
    }
}
