package dev.elman.train;

import dev.elman.text.TextPreprocessing;
import dev.elman.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** What texts and labels must be before they are joined to others: a null would read as the word "null". */
final class Texts {
    private Texts() {}

    /** These strings, once none is null; {@code what} they are is for the message. */
    static List<String> present(String what, List<String> strings) {
        int at = 0;
        for (String string : Objects.requireNonNull(strings, what + "s")) {
            if (string == null) {
                throw new IllegalArgumentException(what + " " + at + " is null. Leave it out, or give \"\".");
            }
            at++;
        }
        return strings;
    }

    /** The characters of a text, each once, for which this tokenizer has only the id of unknown ones. */
    static String unknown(Tokenizer tokenizer, String text) {
        Integer unknown = tokenizer.wordIndex().get(tokenizer.oovToken().orElseThrow());
        return TextPreprocessing.composed(text)
                .codePoints()
                .distinct()
                .mapToObj(Character::toString)
                .filter(character ->
                        Arrays.stream(tokenizer.textToSequence(character)).anyMatch(id -> id == unknown))
                .collect(Collectors.joining());
    }

    /** These strings, once a file can hold each. */
    static List<String> writable(String what, List<String> strings) {
        int at = 0;
        for (String string : present(what, strings)) {
            if (!StandardCharsets.UTF_8.newEncoder().canEncode(string)) {
                throw new IllegalArgumentException(
                        what + " " + at + " holds half a surrogate pair, which no file can. Repair it.");
            }
            at++;
        }
        return strings;
    }
}
