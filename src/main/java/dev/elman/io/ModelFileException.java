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
        super(file + ": " + place + ": expected " + expected + ", found " + found + ". " + remedy);
        this.file = file.toString();
        this.place = place;
    }

    /** The same, and what it came from; null for nothing. */
    public ModelFileException(Path file, String place, String expected, String found, String remedy, Throwable cause) {
        this(file, place, expected, found, remedy);
        initCause(cause);
    }

    /** Foreign text as it may stand in a message: quoted, short and printable. */
    public static String brief(String text) {
        StringBuilder brief = new StringBuilder("\"");
        text.codePoints().limit(MOST).forEach(c -> {
            if (Character.isISOControl(c) || !Character.isDefined(c)) {
                brief.append(String.format("\\u%04x", c));
            } else {
                brief.appendCodePoint(c);
            }
        });
        return brief.append(text.codePointCount(0, text.length()) > MOST ? "...\"" : "\"")
                .toString();
    }

    public String file() {
        return file;
    }

    public String place() {
        return place;
    }
}
