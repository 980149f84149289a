package dev.elman.cuda;

import java.util.Set;

/** A call of the driver or of cuBLAS that failed: the call, the name of its status, the arguments that matter. */
final class CudaCallException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /** There were fewer free multiprocessors than the device has: another program may hold some. */
    private static final Set<String> NO_PLACE =
            Set.of("CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE", "CUDA_ERROR_INVALID_CLUSTER_SIZE");

    private final String call;
    private final String status;

    CudaCallException(String call, String status, String details) {
        super(call + " failed with " + status + (details.isEmpty() ? "." : " (" + details + ")."));
        this.call = call;
        this.status = status;
    }

    /** Whether it is a launch that did not begin, since there is no place for blocks that have to run at the same time. */
    boolean hadNoPlace() {
        return NO_PLACE.contains(status);
    }

    /** Its name, such as {@code cuMemAlloc}. */
    String call() {
        return call;
    }

    /** The name of the status, such as {@code CUDA_ERROR_OUT_OF_MEMORY}. */
    String status() {
        return status;
    }
}
