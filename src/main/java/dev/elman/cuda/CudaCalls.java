package dev.elman.cuda;

import java.util.Set;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import jcuda.CudaException;
import jcuda.driver.CUresult;
import jcuda.jcublas.cublasStatus;

/**
 * The one checker that every call of the driver and of cuBLAS goes through. A failed call poisons the backend: after a
 * failed launch nobody knows what the device's memory holds, so nothing may be computed from it.
 */
final class CudaCalls {
    /**
     * Memory that these do not get, or cannot give back now, harms nothing that is there. A launch is not among them: what comes
     * before it in an operation has run, and may have changed operands.
     */
    private static final Set<String> ONLY_MEMORY = Set.of(
            "cuMemAlloc",
            "cuMemFree",
            "cuModuleLoadData",
            "cuModuleGetFunction",
            "cuFuncGetAttribute",
            "cuGraphInstantiate",
            "cublasCreate");
    /** There is none, or the driver gives and takes none as long as a stream of this process captures in global mode. */
    private static final Set<String> NOT_GIVEN = Set.of(
            "CUDA_ERROR_OUT_OF_MEMORY",
            "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
            "CUBLAS_STATUS_ALLOC_FAILED",
            "CUBLAS_STATUS_NOT_INITIALIZED");

    private CudaCallException first;

    /** Makes a driver call of which nothing needs to be said but its name. */
    void driver(String name, IntSupplier call) {
        driver(name, () -> "", call);
    }

    /**
     * Makes a driver call.
     *
     * @param details the arguments that matter; asked for only when the call fails
     */
    void driver(String name, Supplier<String> details, IntSupplier call) {
        String status = driverStatus(call);
        if (status != null) throw failure(name, status, details);
    }

    /** Makes a cuBLAS call of which nothing needs to be said but its name. */
    void blas(String name, IntSupplier call) {
        blas(name, () -> "", call);
    }

    /** Makes a cuBLAS call, see {@link #driver(String, Supplier, IntSupplier)}. */
    void blas(String name, Supplier<String> details, IntSupplier call) {
        String status;
        try {
            int code = call.getAsInt();
            if (code == cublasStatus.CUBLAS_STATUS_SUCCESS) return;
            status = cublasStatus.stringFor(code);
        } catch (CudaException thrown) {
            status = thrown.getMessage();
        }
        throw failure(name, status, details);
    }

    /** The name of the call's status, or null if it succeeded. An application may have made JCuda throw its statuses. */
    static String driverStatus(IntSupplier call) {
        try {
            int code = call.getAsInt();
            return code == CUresult.CUDA_SUCCESS ? null : CUresult.stringFor(code);
        } catch (CudaException thrown) {
            return thrown.getMessage();
        }
    }

    /** What there is to throw for a failed call, which poisons the backend unless it is harmless. */
    CudaCallException failure(String name, String status, Supplier<String> details) {
        CudaCallException failure = new CudaCallException(name, status, details.get());
        boolean harmless = ONLY_MEMORY.contains(name) && NOT_GIVEN.contains(status);
        if (first == null && !harmless && !failure.hadNoPlace()) first = failure;
        return failure;
    }

    /** Whether a call has failed after which the device's memory cannot be trusted. */
    boolean poisoned() {
        return first != null;
    }

    /** Throws {@link IllegalStateException} once a call has failed. */
    void checkHealthy() {
        if (first != null) {
            throw new IllegalStateException(
                    "This CUDA backend computes no more since " + first.getMessage()
                            + " Close it and open a new one; if that fails too, start the program anew.",
                    first);
        }
    }
}
