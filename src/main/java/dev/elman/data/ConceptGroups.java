package dev.elman.data;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Concepts that may not be parted because knowing one gives the other away: "Guinea" and "Papua New Guinea" share a word
 * in nearly every language. Concepts are joined when their English names share the stem of a word and few others have it;
 * joining is transitive (union-find).
 */
final class ConceptGroups {
    /** A word's stem is its first letters, as many as this; words shorter by more than one have none. */
    static final int STEM_LETTERS = 5;

    /** A stem that more concepts have ("stand" of "standard", "islan" of "islands") tells nothing about any of them. */
    static final int MOST_CONCEPTS_OF_A_RARE_STEM = 12;

    private final Map<String, String> parents = new HashMap<>();

    private ConceptGroups() {}

    /** Groups the concepts by their English names; a concept may have several names. */
    static ConceptGroups of(Collection<NameSource.Name> englishNames) {
        Map<String, TreeSet<String>> conceptsByStem = new TreeMap<>();
        for (NameSource.Name name : englishNames) {
            for (String stem : stems(name.text())) {
                conceptsByStem.computeIfAbsent(stem, key -> new TreeSet<>()).add(name.concept());
            }
        }
        ConceptGroups groups = new ConceptGroups();
        for (TreeSet<String> concepts : conceptsByStem.values()) {
            if (concepts.size() <= MOST_CONCEPTS_OF_A_RARE_STEM) {
                concepts.forEach(concept -> groups.join(concepts.first(), concept));
            }
        }
        return groups;
    }

    /** The group's name, one of its concepts; a concept never heard of is a group of its own. */
    String groupOf(String concept) {
        String parent = parents.getOrDefault(concept, concept);
        return parent.equals(concept) ? concept : groupOf(parent);
    }

    static List<String> stems(String englishName) {
        List<String> stems = new ArrayList<>();
        for (String word : englishName.toLowerCase(Locale.ROOT).split("\\P{L}+", -1)) {
            if (word.length() >= STEM_LETTERS - 1) {
                stems.add(word.substring(0, Math.min(STEM_LETTERS, word.length())));
            }
        }
        return stems;
    }

    private void join(String one, String other) {
        parents.put(groupOf(other), groupOf(one));
    }
}
