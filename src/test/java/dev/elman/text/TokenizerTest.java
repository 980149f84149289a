package dev.elman.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.text.Tokenizer.Mode;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the Keras fixture cannot say: the notebook's sentences by name, our own errors, and where we differ by intent.
 */
class TokenizerTest {
    private static final List<String> PENS = List.of("I have a pen.", "I have an apple", "You have pen and apple.");

    @Test
    void theThreeSentencesOfTheNotebook() {
        Tokenizer tokenizer = Tokenizer.create();
        tokenizer.fitOnTexts(PENS);
        int[][] expected = {{2, 1, 5, 3}, {2, 1, 6, 4}, {7, 1, 3, 8, 4}};
        assertArrayEquals(expected, tokenizer.textsToSequences(PENS));
        assertArrayEquals(expected[0], tokenizer.textToSequence(PENS.get(0)));
    }

    @Test
    void anOovTokenBeforeTheFirstFitIsAnErrorWhereKerasEmitsNone() {
        Tokenizer tokenizer = Tokenizer.builder().oovToken("<unk>").build();
        IllegalStateException e =
                assertThrows(IllegalStateException.class, () -> tokenizer.textsToSequences(List.of("a")));
        assertTrue(e.getMessage().contains("'<unk>'") && e.getMessage().contains("fitOnTexts first"), e.getMessage());
        assertArrayEquals(new int[][] {{}}, tokenizer.textsToSequences(List.of("")));
    }

    @Test
    void aFailedFitChangesNothing() {
        Tokenizer tokenizer = Tokenizer.builder().oovToken("o").build();
        tokenizer.fitOnTexts(List.of("a b"));
        String before = tokenizer.toJson();
        assertThrows(IllegalArgumentException.class, () -> tokenizer.fitOnTexts(Arrays.asList("b b", "c", null)));
        assertThrows(
                IllegalArgumentException.class,
                () -> tokenizer.fitOnTokens(List.of(List.of("b"), Arrays.asList("c", null))));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.fitOnSequences(new int[][] {{1}, null}));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.fitOnTexts(null));
        assertEquals(before, tokenizer.toJson());
    }

    @Test
    void aTextThatIsNullIsSaidToBe() {
        for (boolean characters : new boolean[] {false, true}) {
            Tokenizer tokenizer = Tokenizer.builder().charLevel(characters).build();
            Exception e =
                    assertThrows(IllegalArgumentException.class, () -> tokenizer.fitOnTexts(Arrays.asList("a", null)));
            assertTrue(e.getMessage().contains("expected texts, given a null among them"), e.getMessage());
        }
    }

    @Test
    void whatAFileDoesNotSayIsAsKerasHasIt() {
        StringJoiner tables = new StringJoiner(", ", "{\"config\": {", "}}");
        for (String name : List.of("word_counts", "word_docs", "index_docs", "index_word", "word_index")) {
            tables.add("\"" + name + "\": \"{}\"");
        }
        assertEquals(
                Tokenizer.create().toJson(),
                Tokenizer.fromJson(tables.toString()).toJson());
    }

    @Test
    void aLoadedTokenizerLearnsNewWordsWhereKerasRaises() {
        Tokenizer fitted = Tokenizer.create();
        fitted.fitOnTexts(List.of("b a", "c b"));
        Tokenizer loaded = Tokenizer.fromJson(fitted.toJson());
        for (Tokenizer tokenizer : List.of(fitted, loaded)) {
            tokenizer.fitOnTexts(List.of("c d d d"));
        }
        assertEquals(Map.of("d", 1, "b", 2, "c", 3, "a", 4), loaded.wordIndex());
        assertEquals(fitted.toJson(), loaded.toJson());
    }

    /** As in Keras, a word that is the OOV token takes its id away, and no word has id 1 any more. */
    @Test
    void idsOfAnEarlierFitAreForgotten() {
        Tokenizer tokenizer = Tokenizer.builder().oovToken("o").build();
        tokenizer.fitOnTexts(List.of("a"));
        assertEquals(Map.of(1, "o", 2, "a"), tokenizer.indexWord());
        tokenizer.fitOnTexts(List.of("o"));
        assertEquals(Map.of(2, "a", 3, "o"), tokenizer.indexWord());
    }

    @Test
    void theSettingsSurviveTheFile() {
        Tokenizer tokenizer = Tokenizer.fromJson(Tokenizer.builder()
                .numWords(7)
                .filters(".\uD83D\uDE00")
                .lower(false)
                .split("--")
                .charLevel(true)
                .oovToken("\u00e9")
                .build()
                .toJson());
        assertEquals(7, tokenizer.numWords());
        assertEquals(".\uD83D\uDE00", tokenizer.filters());
        assertEquals("--", tokenizer.split());
        assertTrue(tokenizer.charLevel() && !tokenizer.lower());
        assertEquals(Optional.of("\u00e9"), tokenizer.oovToken());
        Tokenizer usual = Tokenizer.create();
        assertEquals(0, usual.numWords());
        assertTrue(usual.lower() && !usual.charLevel());
    }

    @Test
    void negativeIdsAreRefusedByMatricesWhereKerasCountsFromTheEnd() {
        Tokenizer tokenizer = Tokenizer.builder().numWords(3).build();
        int[][] sequences = {{1}, {2, -1}};
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> tokenizer.sequencesToMatrix(sequences, Mode.COUNT));
        assertTrue(e.getMessage().contains("given -1"), e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> tokenizer.sequencesToMatrix(sequences, null));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.sequencesToMatrix(null, Mode.COUNT));
    }

    @Test
    void noTextIsComposedOfNull() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> TextPreprocessing.composed(null));
        assertEquals("text preprocessing: expected a text, given null", e.getMessage());
    }

    @Test
    void settingsThatCannotBeAreRefused() {
        Tokenizer.Builder negative = Tokenizer.builder().numWords(-1);
        assertTrue(assertThrows(IllegalArgumentException.class, negative::build)
                .getMessage()
                .contains("given -1"));
        assertThrows(IllegalArgumentException.class, Tokenizer.builder().filters(null)::build);
        assertThrows(IllegalArgumentException.class, Tokenizer.builder().split(null)::build);
    }

    @Test
    void theTablesCannotBeChangedFromOutside() {
        Tokenizer tokenizer = Tokenizer.create();
        for (Map<?, ?> table : List.of(
                tokenizer.wordIndex(),
                tokenizer.indexWord(),
                tokenizer.wordCounts(),
                tokenizer.wordDocs(),
                tokenizer.indexDocs())) {
            assertThrows(UnsupportedOperationException.class, () -> table.remove("a"));
        }
    }

    /** Each is refused with one clear sentence; none runs long, overflows a stack or reads a number as another one. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'config': 1}",
                "{\"config\": null}",
                "{\"config\": {}} // comment",
                "{\"config\": {\"num_words\": -3}}",
                "{\"config\": {\"num_words\": 2.5}}",
                "{\"config\": {\"num_words\": 4294967297}}",
                "{\"config\": {\"document_count\": 1e999999999}}",
                "{\"config\": {\"document_count\": 99999999999999999999}}",
                "{\"config\": {\"lower\": 1}}",
                "{\"config\": {\"filters\": null}}",
                "{\"config\": {\"oov_token\": 3}}",
                "{\"config\": {\"word_counts\": \"{\\\"a\\\": -1}\"}}",
                "{\"config\": {\"word_counts\": \"{}\", \"word_docs\": \"[]\"}}",
            })
    void badFilesAreRefused(String json) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Tokenizer.fromJson(json));
        assertTrue(e.getMessage().startsWith("Tokenizer"), e.getMessage());
        assertTrue(e.getMessage().contains("expected"), e.getMessage());
    }

    @Test
    void deepAndMissingFilesAreRefused() {
        String deep = "{\"config\": ".repeat(100_000);
        assertThrows(IllegalArgumentException.class, () -> Tokenizer.fromJson(deep));
        assertThrows(IllegalArgumentException.class, () -> Tokenizer.fromJson(null));
    }

    /** Each expected value is Python's {@code str.lower}; java.lang.String differs on those with a comment. */
    @Test
    void lowerCasingIsPythons() {
        assertEquals("i\u0307", Lowercase.of("\u0130"));
        assertEquals("\u03BF\u03B4\u03BF\u03C2", Lowercase.of("\u039F\u0394\u039F\u03A3"));
        assertEquals("\u03C3", Lowercase.of("\u03A3"));
        assertEquals("a_\u03C3", Lowercase.of("A_\u03A3")); // Java: final
        assertEquals("a\u2019\u03C2", Lowercase.of("A\u2019\u03A3")); // Java: not final
        assertEquals("a1\u03C3", Lowercase.of("A1\u03A3")); // Java: final
        assertEquals("a:\u03C2", Lowercase.of("A:\u03A3"));
        assertEquals("\uD801\uDC28\u03C2\u0301.", Lowercase.of("\uD801\uDC00\u03A3\u0301."));
        assertEquals("\u03C3\u03C3\u03C2", Lowercase.of("\u03A3\u03A3\u03A3"));
        assertEquals("a\u0301\u03C2", Lowercase.of("A\u0301\u03A3"));
        assertEquals("a^\u03C2", Lowercase.of("A^\u03A3"));
        assertEquals("\u03B1\u03C3'\u03B1", Lowercase.of("\u0391\u03A3'\u0391"));
    }

    @Test
    void wordsAndHashesAreThoseOfKerasWithoutSettings() {
        assertEquals(List.of("i", "have", "a", "pen"), TextPreprocessing.textToWordSequence("I have a\tpen."));
        int[] ids = TextPreprocessing.hashingTrick("i have a pen", 50, "", false, " ");
        assertArrayEquals(ids, TextPreprocessing.hashingTrick("I have a\tpen.", 50));
        for (String[] texts : new String[][] {{null, "", " "}, {"a", null, " "}, {"a", "", null}}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> TextPreprocessing.textToWordSequence(texts[0], texts[1], true, texts[2]));
        }
    }

    @Test
    void countsOfPartsAddUpToThoseOfTheWhole() {
        List<String> texts = List.of("b a b", "c a", "", "d d c", "a e");
        Tokenizer whole = Tokenizer.builder().oovToken("?").build();
        whole.fitOnTexts(texts);
        Tokenizer sum = Tokenizer.builder().oovToken("?").build();
        for (List<String> part : List.of(texts.subList(0, 2), texts.subList(2, 3), texts.subList(3, 5))) {
            Tokenizer counted = Tokenizer.builder().oovToken("?").build();
            counted.fitOnTexts(part);
            sum.addCounts(counted);
        }
        assertEquals(whole.wordIndex(), sum.wordIndex());
        assertEquals(
                List.copyOf(whole.wordCounts().entrySet()),
                List.copyOf(sum.wordCounts().entrySet()));
        assertEquals(whole.indexDocs(), sum.indexDocs());
        assertEquals(5, sum.documentCount());
        assertThrows(IllegalArgumentException.class, () -> sum.addCounts(Tokenizer.create()));
    }

    /** Their share of the document counts, which TFIDF uses, would be left out. */
    @Test
    void countsOfSequencesAreNotAdded() {
        Tokenizer sum = Tokenizer.create();
        sum.fitOnTexts(List.of("a b", "a"));
        Tokenizer counted = Tokenizer.create();
        counted.fitOnTexts(List.of("b b c", "c"));
        counted.fitOnSequences(new int[][] {{1}, {1, 2}});
        String before = sum.toJson();
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> sum.addCounts(counted));
        assertTrue(e.getMessage().contains("Give one that was fitted on texts alone"), e.getMessage());
        assertEquals(before, sum.toJson());
    }
}
