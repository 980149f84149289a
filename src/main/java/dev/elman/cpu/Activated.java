package dev.elman.cpu;

import dev.elman.backend.Activation;
import java.nio.FloatBuffer;

/** What comes out of an activation, in place of what went in. */
final class Activated {
    private Activated() {}

    /** Elements {@code from} to {@code from + count} - 1. */
    static void apply(Activation activation, FloatBuffer values, int from, int count, Scratch scratch) {
        switch (activation) {
            case TANH -> Tanh.apply(values, from, count, scratch.block());
            case RELU -> rectify(values.slice(from, count));
            case LINEAR -> {}
        }
    }

    private static void rectify(FloatBuffer values) {
        for (int i = 0; i < values.limit(); i++) values.put(i, Math.max(values.get(i), 0));
    }
}
