package dev.elman.train;

/** Ranges of settings; outside of them an {@link IllegalArgumentException} names the setting. */
final class Require {
    private Require() {}

    static void learningRate(double rate) {
        if (!(rate > 0 && Double.isFinite(rate))) {
            throw new IllegalArgumentException(
                    "The learning rate must be positive and finite, but is " + rate + ". Try 0.001.");
        }
    }

    static void atLeast(int least, String name, int value) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ", but is " + value + ".");
        }
    }

    static void positive(String name, double value) {
        if (!(value > 0)) throw new IllegalArgumentException(name + " must be positive, but is " + value + ".");
    }

    /** At least 0 and below {@code limit}. */
    static void below(double limit, String name, double value) {
        if (!(value >= 0 && value < limit)) {
            throw new IllegalArgumentException(
                    name + " must be at least 0 and below " + limit + ", but is " + value + ".");
        }
    }
}
