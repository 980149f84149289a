package dev.elman.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file of ours or of others that cannot be read or written: which file, where in it, what was expected and found, and what to do. */
public final class ModelFileException extends IOException {
    private static final long serialVersionUID = 1;

    /** Characters of a foreign text. */
    private static final int MOST = 80;

    private final String file;
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
        int length = text.codePointCount(0, text.length());
        String shown = length > MOST ? text.substring(0, text.offsetByCodePoints(0, MOST)) + "..." : text;
        return '"' + printable(shown) + '"';
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

    public String file() {
        return file;
    }

    public String place() {
        return place;
    }
}
