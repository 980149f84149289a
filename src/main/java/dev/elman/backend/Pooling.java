package dev.elman.backend;

/** How a sequence becomes one vector. Masked steps do not count; a row without a live step gives zeros. */
public enum Pooling {
    /** The largest value over live steps, for each channel; of equal ones the earliest takes the gradient. */
    MAX,
    /** The sum over live steps divided by their number. */
    MEAN
}
