package dev.elman.text;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A tokenizer's constructor arguments, and the step from a text to its tokens, which depends on nothing else.
 *
 * @param numWords null where Keras has None; 0 means the same
 * @param oovToken null for none
 */
record TokenizerSettings(
        Integer numWords, String filters, boolean lower, String split, boolean charLevel, String oovToken) {
    TokenizerSettings {
        if (numWords != null && numWords < 0) {
            throw new IllegalArgumentException(
                    "Tokenizer: expected numWords of 0 (no limit) or more, given " + numWords);
        }
        if (filters == null || split == null) {
            throw new IllegalArgumentException(
                    "Tokenizer: expected filters and split, given null; \"\" filters nothing");
        }
    }

    boolean cuts(int id) {
        return isLimited() && id >= numWords;
    }

    boolean isLimited() {
        return numWords != null && numWords != 0;
    }

    List<String> tokens(String text) {
        if (text == null) {
            throw new IllegalArgumentException(
                    "Tokenizer: expected texts, given a null among them; use \"\" for no text");
        }
        if (!charLevel) {
            return TextPreprocessing.textToWordSequence(text, filters, lower, split);
        }
        // A Python string is a sequence of code points: an emoji is one token, not two surrogates. Equal characters
        // share one string: a novel has a million characters, but a hundred different ones.
        Map<Integer, String> strings = new HashMap<>();
        return (lower ? Lowercase.of(text) : text)
                .codePoints()
                .mapToObj(character -> strings.computeIfAbsent(character, Character::toString))
                .toList();
    }

    /** A text that came as a list of tokens: neither filtered nor split, at the character level either. */
    List<String> tokens(List<String> tokens) {
        if (tokens == null || tokens.stream().anyMatch(t -> t == null)) {
            throw new IllegalArgumentException("Tokenizer: expected lists of tokens, given a null list or token");
        }
        return lower ? tokens.stream().map(Lowercase::of).toList() : tokens;
    }
}
