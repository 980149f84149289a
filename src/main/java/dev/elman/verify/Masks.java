package dev.elman.verify;

import java.util.Random;

/** Which steps of which rows are masked. */
enum Masks {
    NONE("no mask"),
    RIGHT("right padding"),
    LEFT("left padding"),
    HOLES("holes"),
    ALL("all masked");

    private final String text;

    Masks(String text) {
        this.text = text;
    }

    /** The mask [T,N], or null; live steps hold other values than 1 too, and some rows have no live step. */
    int[] values(int t, int n, Random random) {
        if (this == NONE) return null;
        int[] mask = new int[t * n];
        for (int step = 0; step < t; step++) {
            for (int row = 0; row < n; row++) {
                mask[step * n + row] = live(step, t, length(row, t), random) ? 1 + row % 3 : 0;
            }
        }
        return mask;
    }

    /** From half of the steps on, in strides, so that all lengths from 0 to T occur in a large batch. */
    private static int length(int row, int t) {
        return ((t + 1) / 2 + 3 * row) % (t + 1);
    }

    private boolean live(int step, int t, int length, Random random) {
        return switch (this) {
            case NONE -> true;
            case RIGHT -> step < length;
            case LEFT -> step >= t - length;
            case HOLES -> random.nextInt(5) < 3;
            case ALL -> false;
        };
    }

    @Override
    public String toString() {
        return text;
    }
}
