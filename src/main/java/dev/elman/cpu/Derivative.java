package dev.elman.cpu;

import dev.elman.backend.Activation;

/** Gradients through an activation, from what came out of it. */
final class Derivative {
    /** Lengths of loops that C2 knows when it compiles them: one of any length would be slow for good if it met short ones first. */
    private static final int LONG = 1024;

    private static final int SHORT = 64;

    private Derivative() {}

    /** The first {@code count} elements of g become g * activation'(h), with h = activation(a) in {@code h}. */
    static void apply(Activation activation, float[] g, float[] h, int count) {
        switch (activation) {
            case TANH -> tanh(g, h, count);
            case RELU -> {
                for (int i = 0; i < count; i++) g[i] *= h[i] > 0 ? 1 : 0;
            }
            case LINEAR -> {}
        }
    }

    private static void tanh(float[] g, float[] h, int count) {
        int at = 0;
        for (; at <= count - LONG; at += LONG) tanhLong(g, h, at);
        for (; at <= count - SHORT; at += SHORT) tanhShort(g, h, at);
        for (; at < count; at++) g[at] = g[at] * (1 - h[at] * h[at]);
    }

    private static void tanhShort(float[] g, float[] h, int from) {
        for (int i = from; i < from + SHORT; i++) g[i] = g[i] * (1 - h[i] * h[i]);
    }

    private static void tanhLong(float[] g, float[] h, int from) {
        for (int i = from; i < from + LONG; i++) g[i] = g[i] * (1 - h[i] * h[i]);
    }
}
