package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.IntSupplier;
import jcuda.CudaException;
import jcuda.driver.CUresult;
import jcuda.jcublas.cublasStatus;
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
        for (int status :
                List.of(cublasStatus.CUBLAS_STATUS_ALLOC_FAILED, cublasStatus.CUBLAS_STATUS_NOT_INITIALIZED)) {
            assertThrows(CudaCallException.class, () -> calls.blas("cublasCreate", () -> status));
        }
        assertFalse(calls.poisoned());
        calls.checkHealthy();
    }

    /** An application may have made JCuda throw. */
    @Test
    void aStatusThatIsThrownIsOneThatIsReturned() {
        CudaCalls calls = new CudaCalls();
        IntSupplier driver = () -> {
            throw new CudaException("CUDA_ERROR_OUT_OF_MEMORY");
        };
        IntSupplier blas = () -> {
            throw new CudaException("CUBLAS_STATUS_ALLOC_FAILED");
        };
        assertEquals(
                "CUDA_ERROR_OUT_OF_MEMORY",
                assertThrows(CudaCallException.class, () -> calls.driver("cuMemAlloc", driver))
                        .status());
        assertEquals(
                "CUBLAS_STATUS_ALLOC_FAILED",
                assertThrows(CudaCallException.class, () -> calls.blas("cublasCreate", blas))
                        .status());
        assertFalse(calls.poisoned());
    }

    /** What fails later may do so because of it. */
    @Test
    void theFirstFailureIsTheOneThatIsTold() {
        CudaCalls calls = new CudaCalls();
        fail(calls, "cuStreamSynchronize", CUresult.CUDA_ERROR_ILLEGAL_ADDRESS);
        fail(calls, "cuMemFree", CUresult.CUDA_ERROR_LAUNCH_FAILED);
        String told =
                assertThrows(IllegalStateException.class, calls::checkHealthy).getMessage();
        assertTrue(told.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), told);
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
