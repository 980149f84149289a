package dev.elman.cli;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The warning about characters that no text had from which a model learnt: they tell it nothing. */
final class UnknownCharacters {
    private static final int SHOWN = 20;

    private UnknownCharacters() {}

    /**
     * Says it in one line on the error stream, if there are any.
     *
     * @param goesOn what the command does all the same
     */
    static void warn(Terminal terminal, String command, IntStream characters, String goesOn) {
        int[] unknown = characters.distinct().toArray();
        if (unknown.length == 0) return;
        String some = IntStream.of(unknown)
                .limit(SHOWN)
                .mapToObj(UnknownCharacters::visible)
                .collect(Collectors.joining());
        terminal.err()
                .println("elman " + command + ": the model has never read any of \"" + some
                        + (unknown.length > SHOWN ? "\u2026" : "") + "\"; it " + goesOn + ".");
        terminal.err().flush();
    }

    private static String visible(int character) {
        return Character.isISOControl(character) ? String.format("\\u%04x", character) : Character.toString(character);
    }
}
