package dev.elman.data;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * The built-in data set: what language is this name? Some 14,000 names of countries, languages, currencies, months,
 * weekdays and time zones in eighteen languages that use Latin letters. The label is the language's code.
 *
 * <p>The names are the JDK's own (see {@link JdkNames}), so nothing is downloaded, and the rows differ from one JDK version
 * to the next: pin no counts. Texts are in Unicode's composed form (NFC) and lower case; at least four characters long; all
 * their letters are Latin, with spaces, digits and punctuation as they come; Turkish names with a dotted capital I are left
 * out, because its lower case in the root locale ends in a mark that is not Latin. A text that two languages share is left
 * out too.
 */
public final class LanguageNames {
    /** The labels, in alphabetical order. */
    public static final List<String> LABELS = List.of(
            "cs", "da", "de", "en", "es", "et", "fi", "fr", "hr", "hu", "it", "lt", "nl", "pl", "pt", "ro", "sv", "tr");

    /** The share of rows on the test side of the split that the figures in the documentation speak of. */
    public static final double TEST_SHARE = 0.2;

    private static final int SHORTEST_TEXT = 4;

    /** The share of names unlike the English ones: three fifths or more where locale data is, a sixth where it is not. */
    private static final double FEWEST_TRANSLATED = 1 / 3.0;

    private final List<Example> examples;
    private final ConceptGroups groups;

    private LanguageNames(List<Example> examples, ConceptGroups groups) {
        this.examples = examples;
        this.groups = groups;
    }

    /**
     * Reads the names from the running JDK; takes about a second.
     *
     * @throws MissingLocaleDataException if the runtime has no names in some of the languages
     */
    public static LanguageNames load() {
        return from(new JdkNames());
    }

    static LanguageNames from(NameSource source) {
        Map<String, List<NameSource.Name>> namesByLabel = new LinkedHashMap<>();
        for (String label : LABELS) {
            namesByLabel.put(label, source.names(Locale.forLanguageTag(label)));
        }
        requireTranslations(namesByLabel);
        ConceptGroups groups = ConceptGroups.of(namesByLabel.get("en"));
        return new LanguageNames(unambiguous(cleaned(namesByLabel)), groups);
    }

    /** All rows, by label and then in the order of the source. */
    public List<Example> examples() {
        return examples;
    }

    /** Splits all rows with the usual share for the test side. */
    public Split split(long seed) {
        return split(examples, TEST_SHARE, seed);
    }

    /**
     * Splits rows of this data set so that all translations of a concept, and concepts that share a rare word, stay on one
     * side. The same rows and seed give the same split. Serves a second time to split off validation rows from the
     * training side.
     *
     * @param rows some of {@link #examples()}
     * @param testShare the share of rows, rounded to whole ones, that the test side is filled up to, never beyond; in (0, 1).
     *     A group with more than a third of that stays on the training side, for it alone would decide what the test measures
     */
    public Split split(List<Example> rows, double testShare, long seed) {
        if (!(testShare > 0 && testShare < 1)) {
            throw new IllegalArgumentException("split: the test share must lie between 0 and 1, but is " + testShare);
        }
        Map<String, Integer> sizes = new TreeMap<>();
        for (Example row : rows) {
            sizes.merge(groupOf(row.concept()), 1, Integer::sum);
        }
        List<String> order = new ArrayList<>(sizes.keySet());
        Collections.shuffle(order, new Random(seed));
        int room = (int) Math.round(testShare * rows.size());
        int largest = room / 3;
        Set<String> testGroups = new HashSet<>();
        for (String group : order) {
            int size = sizes.get(group);
            if (size <= Math.min(largest, room)) {
                testGroups.add(group);
                room -= size;
            }
        }
        List<Example> train = new ArrayList<>();
        List<Example> test = new ArrayList<>();
        for (Example row : rows) {
            (testGroups.contains(groupOf(row.concept())) ? test : train).add(row);
        }
        return new Split(train, test);
    }

    /** The group of concepts that a split keeps together, named by one of them. */
    String groupOf(String concept) {
        return groups.groupOf(concept);
    }

    /** Without its locale data a JDK answers in English, or in an older English, for every language. */
    private static void requireTranslations(Map<String, List<NameSource.Name>> namesByLabel) {
        Set<NameSource.Name> english = new HashSet<>(namesByLabel.get("en"));
        List<String> missing = new ArrayList<>();
        namesByLabel.forEach((label, names) -> {
            long translated =
                    names.stream().filter(name -> !english.contains(name)).count();
            if (!label.equals("en") && translated < FEWEST_TRANSLATED * english.size()) {
                missing.add(Locale.forLanguageTag(label).getDisplayLanguage(Locale.ENGLISH) + " (" + label + ")");
            }
        });
        if (!missing.isEmpty()) {
            throw new MissingLocaleDataException(missing);
        }
    }

    /** The usable texts, each once per language: a text that names two concepts counts for the first. */
    private static List<Example> cleaned(Map<String, List<NameSource.Name>> namesByLabel) {
        List<Example> examples = new ArrayList<>();
        namesByLabel.forEach((label, names) -> {
            Set<String> seen = new HashSet<>();
            for (NameSource.Name name : names) {
                String text = clean(name.text());
                if (isUsable(text) && seen.add(text)) {
                    examples.add(new Example(text, label, name.concept()));
                }
            }
        });
        return examples;
    }

    private static String clean(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFC).toLowerCase(Locale.ROOT);
    }

    private static boolean isUsable(String text) {
        return text.codePointCount(0, text.length()) >= SHORTEST_TEXT
                && text.codePoints().anyMatch(Character::isLetter)
                && text.codePoints().allMatch(LanguageNames::isLatinOrCommon);
    }

    /** Letters must be Latin; spaces, digits and punctuation belong to no script ("common"). */
    private static boolean isLatinOrCommon(int codePoint) {
        Character.UnicodeScript script = Character.UnicodeScript.of(codePoint);
        return script == Character.UnicodeScript.LATIN || script == Character.UnicodeScript.COMMON;
    }

    private static List<Example> unambiguous(List<Example> examples) {
        Map<String, Integer> languages = new HashMap<>();
        examples.forEach(example -> languages.merge(example.text(), 1, Integer::sum));
        return examples.stream()
                .filter(example -> languages.get(example.text()) == 1)
                .toList();
    }
}
