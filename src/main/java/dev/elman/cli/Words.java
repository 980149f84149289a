package dev.elman.cli;

import java.util.List;

/** Lists in sentences. */
final class Words {
    private Words() {}

    /** The first few, and how many more there are. */
    static String some(List<String> words, int most) {
        if (words.size() <= most) return String.join(", ", words);
        return String.join(", ", words.subList(0, most)) + " and " + (words.size() - most) + " more";
    }
}
