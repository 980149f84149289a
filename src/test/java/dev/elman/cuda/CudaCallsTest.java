package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;

/** What poisons a backend and what does not; needs no native code. */
class CudaCallsTest {
    @Test
    void memoryThatIsNotGivenHarmsNothing() {
        CudaCalls calls = new CudaCalls();
        fail(calls, "cuMemAlloc");
        fail(calls, "cuModuleLoadData");
        assertFalse(calls.poisoned());
        calls.checkHealthy();
    }

    /** A driver loads kernels when they are first launched, and that takes memory: the kernel has not run. */
    @Test
    void aKernelThatLacksMemoryPoisons() {
        CudaCalls calls = new CudaCalls();
        fail(calls, "cuLaunchKernel");
        assertTrue(calls.poisoned());
        assertThrows(IllegalStateException.class, calls::checkHealthy);
    }

    private static void fail(CudaCalls calls, String name) {
        CudaCallException failure = assertThrows(
                CudaCallException.class, () -> calls.driver(name, "", () -> CUresult.CUDA_ERROR_OUT_OF_MEMORY));
        assertEquals("CUDA_ERROR_OUT_OF_MEMORY", failure.status());
    }
}
