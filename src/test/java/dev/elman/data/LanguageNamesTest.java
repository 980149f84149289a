package dev.elman.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.text.Normalizer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The built-in data set as the running JDK gives it. Its counts differ between JDKs, so only properties are tested. */
class LanguageNamesTest {
    private static final LanguageNames NAMES = LanguageNames.load();

    @Test
    void itIsLargeEnoughToLearnFrom() {
        assertTrue(NAMES.examples().size() > 8_000, "rows: " + NAMES.examples().size());
        Map<String, Long> rowsByLabel =
                NAMES.examples().stream().collect(Collectors.groupingBy(Example::label, Collectors.counting()));
        assertEquals(new TreeSet<>(LanguageNames.LABELS), new TreeSet<>(rowsByLabel.keySet()));
        rowsByLabel.forEach((label, rows) -> assertTrue(rows > 250, label + ": " + rows));
    }

    @Test
    void everyKindOfNameIsThere() {
        assertEquals(
                Set.of("country", "language", "currency", "month", "weekday", "zone"),
                NAMES.examples().stream()
                        .map(row -> row.concept().substring(0, row.concept().indexOf(':')))
                        .collect(Collectors.toSet()));
        assertTrue(NAMES.examples().contains(new Example("deutschland", "de", "country:DE")));
        assertTrue(NAMES.examples().contains(new Example("wrzesień", "pl", "month:SEPTEMBER")));
        assertTrue(NAMES.examples().contains(new Example("września", "pl", "month:SEPTEMBER")));
        assertTrue(NAMES.examples().stream().anyMatch(row -> row.concept().matches("language:[a-z]{3}")));
    }

    @Test
    void textsAreComposedLowerCaseLatinAndLongEnough() {
        for (Example row : NAMES.examples()) {
            String text = row.text();
            assertTrue(Normalizer.isNormalized(text, Normalizer.Form.NFC), row::toString);
            assertEquals(text.toLowerCase(Locale.ROOT), text);
            assertTrue(text.codePointCount(0, text.length()) >= 4, row::toString);
            text.codePoints()
                    .filter(Character::isAlphabetic)
                    .mapToObj(Character.UnicodeScript::of)
                    .forEach(script -> assertTrue(
                            script == Character.UnicodeScript.LATIN || script == Character.UnicodeScript.COMMON,
                            () -> script + " in " + row));
        }
    }

    @Test
    void noTextHasTwoLabelsOrStandsTwice() {
        Set<String> texts = new HashSet<>();
        for (Example row : NAMES.examples()) {
            assertTrue(texts.add(row.text()), row::toString);
        }
    }

    /** Danish, say, has no names for many three-letter languages; the JDK answers with the code. */
    @Test
    void aCodeIsNoName() {
        for (String label : LanguageNames.LABELS) {
            for (NameSource.Name name : new JdkNames().names(Locale.forLanguageTag(label))) {
                assertNotEquals(name.concept().replaceFirst("^[a-z]+:", ""), name.text(), name::toString);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {42, 0, -1, 7})
    void nothingLeaksAcrossTheSplit(long seed) {
        Split split = NAMES.split(seed);
        assertSidesShareNo(Example::text, split);
        assertSidesShareNo(Example::concept, split);
        assertSidesShareNo(row -> NAMES.groupOf(row.concept()), split);
        Set<Example> all = new HashSet<>(split.train());
        all.addAll(split.test());
        assertEquals(new HashSet<>(NAMES.examples()), all, "no row is lost");
        assertEquals(
                NAMES.examples().size(), split.train().size() + split.test().size());
    }

    /** The rule itself, apart from the code that joins groups: who shares a rare stem of an English name, shares a side. */
    @Test
    void conceptsWithARareWordInCommonShareASide() {
        Map<String, Set<String>> conceptsByStem = new HashMap<>();
        for (NameSource.Name name : new JdkNames().names(Locale.ENGLISH)) {
            ConceptGroups.stems(name.text())
                    .forEach(stem -> conceptsByStem
                            .computeIfAbsent(stem, key -> new HashSet<>())
                            .add(name.concept()));
        }
        Split split = NAMES.split(42);
        Set<String> train = values(Example::concept, split.train());
        Set<String> test = values(Example::concept, split.test());
        int shared = 0;
        for (Map.Entry<String, Set<String>> entry : conceptsByStem.entrySet()) {
            Set<String> concepts = entry.getValue();
            if (concepts.size() > 1 && concepts.size() <= 12) {
                shared++;
                assertTrue(
                        concepts.stream().noneMatch(train::contains)
                                || concepts.stream().noneMatch(test::contains),
                        entry::toString);
            }
        }
        assertTrue(shared > 100, "stems that concepts share: " + shared);
    }

    @ParameterizedTest
    @ValueSource(longs = {42, 0, -1, 7})
    void theTestSideIsAFifthWithAllLabelsAndNoGroupThatRulesIt(long seed) {
        Split split = NAMES.split(seed);
        double share = split.test().size() / (double) NAMES.examples().size();
        assertTrue(share > 0.195 && share <= 0.2001, "share: " + share);
        assertEquals(new HashSet<>(LanguageNames.LABELS), values(Example::label, split.train()));
        assertEquals(new HashSet<>(LanguageNames.LABELS), values(Example::label, split.test()));
        Map<String, Integer> sizes = new HashMap<>();
        split.test().forEach(row -> sizes.merge(NAMES.groupOf(row.concept()), 1, Integer::sum));
        sizes.forEach((group, rows) -> assertTrue(3 * rows <= split.test().size() + 3, group + ": " + rows));
    }

    @Test
    void theSeedDecidesTheSplitAlone() {
        assertEquals(NAMES.split(42), NAMES.split(42));
        assertEquals(NAMES.split(42), LanguageNames.load().split(42), "and so does loading again");
        assertNotEquals(NAMES.split(42).test(), NAMES.split(43).test());
    }

    @Test
    void theTrainingSideCanBeSplitAgainForValidation() {
        Split outer = NAMES.split(42);
        Split inner = NAMES.split(outer.train(), 0.1, 42);
        assertSidesShareNo(row -> NAMES.groupOf(row.concept()), inner);
        assertEquals(outer.train().size(), inner.train().size() + inner.test().size());
        double share = inner.test().size() / (double) outer.train().size();
        assertTrue(share > 0.095 && share <= 0.1001, "share: " + share);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1, -0.2, Double.NaN})
    void aShareThatIsNoneIsRefused(double share) {
        List<Example> rows = NAMES.examples();
        assertThrows(IllegalArgumentException.class, () -> NAMES.split(rows, share, 42));
    }

    /** A bar that chance does not clear, so that the labels cannot have been mixed up; the data must be learnable. */
    @Test
    void naiveBayesLearnsIt() {
        Split split = NAMES.split(42);
        double trigrams = NgramNaiveBayes.train(split.train(), 3).accuracy(split.test());
        double majority = Baselines.majorityAccuracy(split.train(), split.test());
        assertTrue(trigrams > 0.6, "trigram naive Bayes: " + trigrams);
        assertTrue(majority < 0.2, "majority: " + majority);
    }

    private static void assertSidesShareNo(Function<Example, String> property, Split split) {
        Set<String> shared = values(property, split.train());
        shared.retainAll(values(property, split.test()));
        assertEquals(Set.of(), shared);
    }

    private static Set<String> values(Function<Example, String> property, List<Example> rows) {
        return rows.stream().map(property).collect(Collectors.toCollection(HashSet::new));
    }
}
