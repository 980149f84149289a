package dev.elman.rnn;

/** How what two directions return becomes one, Keras's {@code merge_mode}. */
public enum Merge {
    /** Side by side, forward first: C = 2H. */
    CONCAT,
    /** Their sum: C = H. */
    SUM,
    /** Their product, element by element: C = H. */
    MUL,
    /** Their mean: C = H. */
    AVE
}
