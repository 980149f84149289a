package dev.elman.text;

/** A text that is no tokenizer of Keras's: where in it, what was expected and what was found. */
public final class TokenizerJsonException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private static final int MOST = 80;

    /** In words, as in the message. */
    private final String place;
    /** In words, as in the message. */
    private final String expected;
    /** The beginning of it, as a message may hold it. */
    private final String found;

    TokenizerJsonException(String place, String expected, String found) {
        super("Tokenizer.fromJson: expected " + expected + " in " + place + ", given " + brief(found)
                + "; pass what to_json of Keras's Tokenizer or toJson wrote, unchanged");
        this.place = place;
        this.expected = expected;
        this.found = brief(found);
    }

    private static String brief(String text) {
        return text.length() > MOST ? text.substring(0, MOST) + "..." : text;
    }

    /** The setting or the table that is wrong, or the text as a whole. */
    public String place() {
        return place;
    }

    /** What would be right there, in words, as in the message. */
    public String expected() {
        return expected;
    }

    /** The beginning of what stands there, as it is. */
    public String found() {
        return found;
    }
}
