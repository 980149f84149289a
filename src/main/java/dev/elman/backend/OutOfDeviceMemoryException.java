package dev.elman.backend;

/** A device has no memory left for what was asked. The backend can be used on, and smaller sizes may fit. */
public final class OutOfDeviceMemoryException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /**
     * For backends with memory of their own.
     *
     * @param message how much was asked for, how much there is, and what to do
     */
    public OutOfDeviceMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
