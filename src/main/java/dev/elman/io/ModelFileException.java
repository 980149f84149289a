package dev.elman.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file of ours or of others that cannot be read or written: which file, where in it, what was expected and found, and what to do. */
public final class ModelFileException extends IOException {
    private static final long serialVersionUID = 1;

    /** Characters of a foreign text. */
    private static final int MOST = 80;

    /** As text: a path cannot be serialized. */
    private final String file;
    /** Printable, whatever the file holds. */
    private final String place;

    /**
     * The message is made of the arguments, in their order.
     *
     * @param place bytes, or the name of a tensor or of a metadata entry
     */
    public ModelFileException(Path file, String place, String expected, String found, String remedy) {
        super(file + ": " + printable(place) + ": expected " + printable(expected) + ", found " + printable(found)
                + ". " + remedy);
        this.file = file.toString();
        this.place = printable(place);
    }

    /** The same, and what it came from; null for nothing. */
    public ModelFileException(Path file, String place, String expected, String found, String remedy, Throwable cause) {
        this(file, place, expected, found, remedy);
        initCause(cause);
    }

    /** Foreign text as it may stand in a message: quoted, short and printable. */
    public static String brief(String text) {
        return '"' + shortened(text) + '"';
    }

    /** The same without quotes. */
    public static String shortened(String text) {
        int length = text.codePointCount(0, text.length());
        return printable(length > MOST ? text.substring(0, text.offsetByCodePoints(0, MOST)) + "..." : text);
    }

    /** What comes from a file may hold anything, and ends on a terminal. */
    private static String printable(String text) {
        StringBuilder printable = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (Character.isISOControl(c) || !Character.isDefined(c)) printable.append(String.format("\\u%04x", c));
            else printable.appendCodePoint(c);
        });
        return printable.toString();
    }

    /** The path of the file, as it was given. */
    public String file() {
        return file;
    }

    /** Where in the file: bytes, or the name of a tensor or of a metadata entry, as the message has it. */
    public String place() {
        return place;
    }
}
