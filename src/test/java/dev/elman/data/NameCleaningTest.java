package dev.elman.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.ChildJvm;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules by which names become rows, on a handful of names, and what happens where there are none. */
class NameCleaningTest {
    @Test
    void namesAreComposedAndLowered() {
        assertEquals(List.of("fr x:0 école noire"), rows(Map.of("fr", List.of("E\u0301COLE Noire"))));
    }

    @Test
    void shortForeignAndLetterlessNamesAreLeftOut() {
        String three = "ab" + Character.toString(0x1D41A); // as many code points, which belong to no script
        List<String> names = List.of("abc", three, "русский", "latin и", "1234", "Vier", "Vier (4)");
        assertEquals(List.of("de x:5 vier", "de x:6 vier (4)"), rows(Map.of("de", names)));
    }

    @Test
    void aNameThatTwoLanguagesShareIsLeftOutOfBoth() {
        assertEquals(
                List.of("de x:1 deutsch", "en x:1 german"),
                rows(Map.of("en", List.of("Canada", "German"), "de", List.of("CANADA", "Deutsch"))));
    }

    @Test
    void aNameOfTwoConceptsCountsOnceForTheFirst() {
        assertEquals(List.of("de x:0 thaler"), rows(Map.of("de", List.of("Thaler", "Thaler"))));
    }

    @Test
    void aGroupOfMoreThanAThirdOfTheTestSideStaysInTraining() {
        // 18 rows a concept, so the half is 180 rows, a third of that 60, and the groups have 72, 54 and 18.
        LanguageNames names = concepts(i -> i < 4 ? "guinea" + i : i < 7 ? "ireland" + i : null);
        Set<String> tested = new HashSet<>();
        for (long seed = 0; seed < 20; seed++) {
            Split split = names.split(names.examples(), 0.5, seed);
            assertEquals(180, split.test().size(), "seed " + seed);
            split.test().forEach(row -> tested.add(row.text().substring(0, 5)));
        }
        assertFalse(tested.contains("guine"));
        assertTrue(tested.contains("irela"));
    }

    @ParameterizedTest
    @CsvSource({"0.13, 3", "0.17, 3", "0.2, 4", "0.95, 19"})
    void theTestSideIsFilledUpToItsShareOfTheRowsRounded(double share, int rows) {
        LanguageNames names = concepts(i -> null);
        List<Example> twenty = names.examples().subList(0, 20);
        assertEquals(rows, names.split(twenty, share, 7).test().size());
    }

    /** Twenty concepts; those without a word of their own share none. */
    private static LanguageNames concepts(IntFunction<String> words) {
        return LanguageNames.from(language -> {
            List<NameSource.Name> list = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                String word = words.apply(i);
                if (word == null) word = Character.toString('a' + i).repeat(5);
                list.add(new NameSource.Name("x:" + i, word + " " + language));
            }
            return list;
        });
    }

    @Test
    void rowsAreWholeAndSidesStayAsTheyAre() {
        assertThrows(NullPointerException.class, () -> new Example(null, "", ""));
        assertThrows(NullPointerException.class, () -> new Example("", null, ""));
        assertThrows(NullPointerException.class, () -> new Example("", "", null));
        List<Example> rows = new ArrayList<>(List.of(new Example("", "", "")));
        Split split = new Split(rows, rows);
        rows.clear();
        assertEquals(1, split.train().size());
        assertEquals(1, split.test().size());
    }

    @Test
    void aSourceThatAnswersInEnglishOnlyIsRefused() {
        NameSource english = language -> List.of(new NameSource.Name("country:DE", "Germany"));
        String message = assertThrows(MissingLocaleDataException.class, () -> LanguageNames.from(english))
                .getMessage();
        assertTrue(message.contains("German (de)"), message);
        assertFalse(message.contains("English (en)"), message);
        assertTrue(message.contains("remove the option -Djava.locale.providers, which is now not set"), message);
    }

    /** A runtime without the module jdk.localedata, as jlink makes them: a real one, not a pretended one. */
    @Test
    void aRuntimeWithoutLocaleDataSaysWhatToDo() throws Exception {
        String message = ChildJvm.with("--limit-modules", "java.base").run(Main.class);
        assertTrue(message.contains("MissingLocaleDataException"), message);
        assertTrue(message.contains("German (de)"), message);
        assertTrue(message.contains("jlink --add-modules jdk.localedata"), message);
    }

    /** Prints how many rows the data set has; run by a test in a Java of its own. */
    static final class Main {
        public static void main(String[] arguments) {
            System.out.println(LanguageNames.load().examples().size() + " rows");
        }
    }

    /** The rows of the given names, as "label concept text"; the concepts are numbered from 0 in each language. */
    private static List<String> rows(Map<String, List<String>> namesByLabel) {
        LanguageNames names = LanguageNames.from(language -> {
            List<NameSource.Name> list = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                list.add(new NameSource.Name("filler:" + i, "filler " + i + " in " + language));
            }
            for (String text : namesByLabel.getOrDefault(language.toLanguageTag(), List.of())) {
                list.add(new NameSource.Name("x:" + (list.size() - 10), text));
            }
            return list;
        });
        return names.examples().stream()
                .filter(row -> !row.concept().startsWith("filler"))
                .map(row -> row.label() + " " + row.concept() + " " + row.text())
                .toList();
    }
}
