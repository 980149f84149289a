package dev.elman.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The warning about characters that no text had from which a model learnt: they tell it nothing. */
final class UnknownCharacters {
    private static final int SHOWN = 20;

    /** What would not be seen. */
    private static final Map<Integer, String> BLANKS = Map.of(
            (int) '\t', "a tab", (int) '\n', "a line feed", (int) '\r', "a carriage return", (int) ' ', "a blank");

    private UnknownCharacters() {}

    /**
     * Says it in one line on the error stream, if there are any.
     *
     * @param goesOn what the command does all the same
     */
    static void warn(Terminal terminal, String command, IntStream characters, String goesOn) {
        int[] unknown = characters.distinct().toArray();
        if (unknown.length == 0) return;
        List<String> some = new ArrayList<>();
        StringBuilder visible = new StringBuilder();
        for (int character : IntStream.of(unknown).limit(SHOWN).toArray()) {
            if (BLANKS.containsKey(character)) some.add(BLANKS.get(character));
            else visible.append(visible(character));
        }
        if (unknown.length > SHOWN) visible.append('\u2026');
        if (visible.length() > 0) some.add(0, "\"" + visible + "\"");
        terminal.err()
                .println("elman " + command + ": the model has never read any of " + String.join(", ", some) + "; it "
                        + goesOn + ".");
    }

    private static String visible(int character) {
        return Character.isISOControl(character) ? String.format("\\u%04x", character) : Character.toString(character);
    }
}
