package dev.elman.data;

import java.util.Objects;

/**
 * One text with the label to be learnt.
 *
 * @param text what the classifier sees, for example "deutschland"
 * @param label the right answer, for example "de"
 * @param concept what the text names, for example "country:DE"; all texts of one concept belong on one side of a split
 */
public record Example(String text, String label, String concept) {
    /** Throws {@link NullPointerException} when one of the three is null; they may be empty. */
    public Example {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(label, "label");
        Objects.requireNonNull(concept, "concept");
    }
}
