package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LabelledTextsTest {
    /** So many texts, of which those from {@code common} on have one label. */
    private static LabelledTexts texts(int count, int common) {
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < count; i++) labels.add(i < common ? "label " + i : "common");
        return new LabelledTexts(labels, labels);
    }

    @Test
    void manyLabelsMayBeTexts() {
        assertEquals(
                List.of(
                        "there are 11 labels for 20 texts; the label comes first on a line: are the columns in the other"
                                + " order?"),
                texts(20, 10).doubts());
        assertEquals(List.of(), texts(20, 9).doubts());
        assertEquals(List.of(), texts(19, 19).doubts());
    }

    @Test
    void aFirstLabelThatComesOnceMayBeAHeader() {
        assertEquals(
                List.of("the first line is the only one with the label \"label 0\"; if it is a header, remove it."),
                texts(21, 1).doubts());
        assertEquals(List.of(), texts(20, 1).doubts());
        assertEquals(List.of(), texts(21, 0).doubts());
    }

    @Test
    void theMostFrequentLabelIsABaseline() {
        assertEquals(0.75, texts(20, 5).mostFrequent());
    }
}
