package dev.elman.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file that is not what it should be; the message names file, place, what was expected and what was found. */
public final class ModelFileException extends IOException {
    private static final long serialVersionUID = 1L;

    public ModelFileException(Path file, String problem) {
        super(file + ": " + problem);
    }

    public ModelFileException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
    }
}
