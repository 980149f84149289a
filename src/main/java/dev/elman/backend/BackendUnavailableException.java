package dev.elman.backend;

/** A backend that cannot be opened here; the message says why and what to do. */
public final class BackendUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * For backends that find no way to open.
     *
     * @param message what cannot be used, why, and what to install or to set
     */
    public BackendUnavailableException(String message) {
        super(message);
    }

    /** The same, with what a library or a driver threw; null for nothing. */
    public BackendUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
