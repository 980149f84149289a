package dev.elman.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class NgramNaiveBayesTest {
    @Test
    void ngramsCountTheMarksAndWholeCodePoints() {
        assertEquals(List.of("^a", "ab", "b$"), NgramNaiveBayes.ngrams("ab", 2));
        assertEquals(List.of("^ab", "ab$"), NgramNaiveBayes.ngrams("ab", 3));
        assertEquals(List.of("^\uD83D\uDE00", "\uD83D\uDE00$"), NgramNaiveBayes.ngrams("\uD83D\uDE00", 2));
        assertEquals(List.of(), NgramNaiveBayes.ngrams("", 3));
    }

    /**
     * By hand. Bigrams of x: ^a ab b$ (twice each, from "ab" twice); of y: ^b ba a$. So V = 6, α V = 1.8 and
     * P(.|x): seen 2.3/7.8, unseen 0.3/7.8; P(.|y): seen 1.3/4.8, unseen 0.3/4.8; priors 2/3 and 1/3.
     */
    @Test
    @DisplayName("log probabilities of a corpus worked by hand")
    void workedByHand() {
        NgramNaiveBayes model = NgramNaiveBayes.train(List.of(row("ab", "x"), row("ab", "x"), row("ba", "y")), 2);

        // Scores leave out the labels' common factor: the prior is the number of texts.
        assertEquals(Math.log(2) + 3 * Math.log(2.3 / 7.8), model.scores("ab").get("x"), 1e-12);
        assertEquals(Math.log(1) + 3 * Math.log(0.3 / 4.8), model.scores("ab").get("y"), 1e-12);
        // "aa" is ^a aa a$, and aa was never seen: x 2 * 2.3/7.8 * 0.3/7.8 = 0.0227, y 0.3/4.8 * 1.3/4.8 = 0.0169.
        assertEquals(Math.log(2 * 2.3 / 7.8 * 0.3 / 7.8), model.scores("aa").get("x"), 1e-12);
        assertEquals(Math.log(0.3 / 4.8 * 1.3 / 4.8), model.scores("aa").get("y"), 1e-12);
        assertEquals("x", model.predict("ab"));
        assertEquals("y", model.predict("ba"));
        assertEquals("x", model.predict("aa"));
    }

    /** Without the prior y would win: "aa" as above, but with each label's texts counted once. */
    @Test
    void thePriorCounts() {
        List<Example> once = List.of(row("ab", "p"), row("ba", "b")); // a hash table has p first
        assertEquals("b", NgramNaiveBayes.train(once, 2).predict("cd"), "equal scores: the first label");
        List<Example> moreOfY = List.of(row("ab", "x"), row("ba", "y"), row("ba", "y"));
        assertEquals("y", NgramNaiveBayes.train(moreOfY, 2).predict("cd"), "nothing known: the frequent label");
    }

    @Test
    void accuracyIsTheShareOfRightAnswers() {
        NgramNaiveBayes model = NgramNaiveBayes.train(List.of(row("ab", "x"), row("ba", "y")), 2);
        List<Example> test = List.of(row("ab", "x"), row("ba", "y"), row("ba", "x"), row("abab", "x"));
        assertEquals(0.75, model.accuracy(test));
    }

    @Test
    void majorityIsTheTrainingSidesMostFrequentLabel() {
        List<Example> train = List.of(row("a", "x"), row("b", "y"), row("c", "y"));
        List<Example> test = List.of(row("d", "x"), row("e", "x"), row("f", "y"), row("g", "x"));
        assertEquals(0.25, Baselines.majorityAccuracy(train, test));
    }

    @Test
    void badInputIsRefused() {
        List<Example> none = List.of();
        List<Example> one = List.of(row("ab", "x"));
        assertThrows(IllegalArgumentException.class, () -> NgramNaiveBayes.train(none, 2));
        assertThrows(IllegalArgumentException.class, () -> NgramNaiveBayes.train(one, 0));
        NgramNaiveBayes model = NgramNaiveBayes.train(one, 1);
        assertThrows(IllegalArgumentException.class, () -> model.accuracy(none));
        assertThrows(NullPointerException.class, () -> model.predict(null));
        assertThrows(IllegalArgumentException.class, () -> Baselines.majorityAccuracy(none, one));
    }

    private static Example row(String text, String label) {
        return new Example(text, label, "concept:" + text);
    }
}
