package dev.elman.spark;

/** A row cannot be used; the message names the column and the value. */
public final class BadRowException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    BadRowException(String message) {
        super(message);
    }

    static BadRowException of(String column, Object value, String expected) {
        String text = String.valueOf(value);
        if (text.length() > 200) text = text.substring(0, 200) + "...";
        return new BadRowException("Column \"" + column + "\" must hold " + expected + ", but a row has " + text + ".");
    }
}
