package dev.elman.data;

import java.util.List;

/**
 * The two sides of a data set; the lists are unmodifiable.
 *
 * @param train what to learn from, in the data set's order
 * @param test what to measure with, in the data set's order
 */
public record Split(List<Example> train, List<Example> test) {
    public Split {
        train = List.copyOf(train);
        test = List.copyOf(test);
    }
}
