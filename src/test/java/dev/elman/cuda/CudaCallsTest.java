package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;

/** What poisons a backend and what does not; needs no native code. */
class CudaCallsTest {
    @Test
    void memoryThatIsNotGivenHarmsNothing() {
        CudaCalls calls = new CudaCalls();
        for (int status : List.of(CUresult.CUDA_ERROR_OUT_OF_MEMORY, CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED)) {
            fail(calls, "cuMemAlloc", status);
            fail(calls, "cuModuleLoadData", status);
            fail(calls, "cuModuleGetFunction", status);
            fail(calls, "cuFuncGetAttribute", status);
            fail(calls, "cuGraphInstantiate", status);
            fail(calls, "cuMemFree", status);
        }
        assertFalse(calls.poisoned());
        calls.checkHealthy();
    }

    /** A driver may load kernels when they are first launched, which takes memory; what ran before it has changed operands. */
    @Test
    void aKernelThatLacksMemoryPoisons() {
        CudaCalls calls = new CudaCalls();
        fail(calls, "cuLaunchKernel", CUresult.CUDA_ERROR_OUT_OF_MEMORY);
        assertTrue(calls.poisoned());
        assertThrows(IllegalStateException.class, calls::checkHealthy);
    }

    /** A fault of a kernel before may come to light here. */
    @Test
    void memoryThatAFaultKeepsPoisons() {
        CudaCalls calls = new CudaCalls();
        calls.failure("cuMemFree", "CUDA_ERROR_ILLEGAL_ADDRESS", () -> "");
        assertTrue(calls.poisoned());
    }

    private static void fail(CudaCalls calls, String name, int status) {
        CudaCallException failure = assertThrows(CudaCallException.class, () -> calls.driver(name, () -> status));
        assertEquals(CUresult.stringFor(status), failure.status());
    }
}
