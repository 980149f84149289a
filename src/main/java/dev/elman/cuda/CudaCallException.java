package dev.elman.cuda;

/** A call of the driver or of cuBLAS that failed: the call, the name of its status, the arguments that matter. */
final class CudaCallException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    private final String status;

    CudaCallException(String call, String status, String details) {
        super(call + " failed with " + status + (details.isEmpty() ? "." : " (" + details + ")."));
        this.status = status;
    }

    /** The name of the status, such as {@code CUDA_ERROR_OUT_OF_MEMORY}. */
    String status() {
        return status;
    }
}
