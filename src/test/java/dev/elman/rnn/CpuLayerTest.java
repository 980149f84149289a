package dev.elman.rnn;

import dev.elman.cpu.CpuBackend;

class CpuLayerTest extends LayerContract {
    CpuLayerTest() {
        super("cpu", CpuBackend::open);
    }
}
