package dev.elman.reference;

import dev.elman.backend.Dropout;

/** What {@link Dropout} says, element by element. */
final class Dropouts {
    private Dropouts() {}

    /** What becomes of x, element (t, n, c): 0 where it is dropped, whatever it was, else scaled. */
    static double apply(Dropout dropout, int t, int n, int c, double x) {
        int step = dropout.variational() ? 0 : t;
        int word = Philox.words(c / 4, step, dropout.firstRow() + n, 0, dropout.seed())[c % 4];
        return Integer.compareUnsigned(word, dropout.threshold()) >= 0 ? x * dropout.scale() : 0;
    }
}
