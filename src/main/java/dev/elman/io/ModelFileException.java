package dev.elman.io;

import java.io.IOException;
import java.nio.file.Path;

/** A model file that cannot be read or written: which file, where in it, what was expected and found, and what to do. */
public final class ModelFileException extends IOException {
    private static final long serialVersionUID = 1;

    private final String file;
    private final String place;

    /**
     * The message is made of the arguments, in their order.
     *
     * @param place bytes, or the name of a tensor or of a metadata entry
     */
    public ModelFileException(Path file, String place, String expected, String found, String remedy) {
        super(file + ": " + place + ": expected " + expected + ", found " + found + ". " + remedy);
        this.file = file.toString();
        this.place = place;
    }

    ModelFileException(Path file, String place, String expected, String found, String remedy, Throwable cause) {
        this(file, place, expected, found, remedy);
        initCause(cause);
    }

    public String file() {
        return file;
    }

    public String place() {
        return place;
    }
}
