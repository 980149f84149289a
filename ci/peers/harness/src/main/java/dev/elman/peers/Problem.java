package dev.elman.peers;

import java.util.SplittableRandom;

/**
 * The numbers of one problem, the same in every process: they are seeded by the sizes alone.
 *
 * @param x input [N][T][D]
 * @param wx input weights [D][H]
 * @param wh recurrent weights [H][H]
 * @param b bias [H]
 * @param dy dL/dy [N][T][H]
 */
public record Problem(Sizes sizes, float[] x, float[] wx, float[] wh, float[] b, float[] dy) {
    /** Input of variance about 1, weights that keep the states between saturation and nothing. */
    static Problem of(Sizes sizes) {
        int n = sizes.n();
        int t = sizes.t();
        int d = sizes.d();
        int h = sizes.h();
        SplittableRandom random = new SplittableRandom(1_000_003L * n + 10_007L * t + 101L * d + h);
        double limit = 1 / Math.sqrt(h);
        return new Problem(
                sizes,
                uniform(random, n * t * d, 1.7),
                uniform(random, d * h, limit),
                uniform(random, h * h, limit),
                uniform(random, h, limit),
                uniform(random, n * t * h, 1));
    }

    private static float[] uniform(SplittableRandom random, int count, double limit) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float) ((2 * random.nextDouble() - 1) * limit);
        return values;
    }
}
