package dev.elman.data;

import java.util.List;

/**
 * The two sides of a data set; the lists are unmodifiable.
 *
 * @param train what to learn from, in the data set's order
 * @param test what to measure with, in the data set's order
 */
public record Split(List<Example> train, List<Example> test) {
    /** Copies both lists, and throws {@link NullPointerException} for a null in them. */
    public Split {
        train = List.copyOf(train);
        test = List.copyOf(test);
    }
}
