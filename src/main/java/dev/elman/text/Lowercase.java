package dev.elman.text;

import java.util.Locale;

/**
 * Lower-casing as Python's {@code str.lower} does it, which is Unicode's full mapping without a language.
 *
 * <p>{@link String#toLowerCase(Locale)} with {@link Locale#ROOT} gives the same except for the capital sigma: it looks
 * for the end of a word with a {@code BreakIterator}, which takes {@code "A_Σ"} and {@code "A’Σ"} differently. Here the
 * sigma follows the condition Final_Sigma of The Unicode Standard (section 3.13 and SpecialCasing.txt). Letters that
 * are newer than the Unicode tables of the running JDK or Python stay as they are in each.
 */
final class Lowercase {
    private static final char CAPITAL_SIGMA = '\u03A3';
    private static final char SIGMA = '\u03C3';
    private static final char FINAL_SIGMA = '\u03C2';

    /** Word_Break = MidLetter, MidNumLet or Single_Quote: case-ignorable although punctuation. */
    private static final String IGNORABLE_PUNCTUATION =
            "'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";

    private Lowercase() {}

    static String of(String text) {
        if (text.indexOf(CAPITAL_SIGMA) < 0) {
            return text.toLowerCase(Locale.ROOT);
        }
        StringBuilder decided = new StringBuilder(text);
        for (int i = text.indexOf(CAPITAL_SIGMA); i >= 0; i = text.indexOf(CAPITAL_SIGMA, i + 1)) {
            boolean ends = isCased(before(text, i)) && !isCased(after(text, i + 1));
            decided.setCharAt(i, ends ? FINAL_SIGMA : SIGMA);
        }
        return decided.toString().toLowerCase(Locale.ROOT);
    }

    /** The nearest code point before {@code i} that is not case-ignorable, or 0. */
    private static int before(String text, int i) {
        while (i > 0) {
            int c = text.codePointBefore(i);
            if (!isCaseIgnorable(c)) {
                return c;
            }
            i -= Character.charCount(c);
        }
        return 0;
    }

    /** The nearest code point from {@code i} on that is not case-ignorable, or 0. */
    private static int after(String text, int i) {
        while (i < text.length()) {
            int c = text.codePointAt(i);
            if (!isCaseIgnorable(c)) {
                return c;
            }
            i += Character.charCount(c);
        }
        return 0;
    }

    private static boolean isCased(int c) {
        return Character.isLowerCase(c) || Character.isUpperCase(c) || Character.isTitleCase(c);
    }

    private static boolean isCaseIgnorable(int c) {
        return switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK,
                    Character.ENCLOSING_MARK,
                    Character.FORMAT,
                    Character.MODIFIER_LETTER,
                    Character.MODIFIER_SYMBOL -> true;
            default -> IGNORABLE_PUNCTUATION.indexOf(c) >= 0;
        };
    }
}
