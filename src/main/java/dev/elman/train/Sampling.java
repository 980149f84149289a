package dev.elman.train;

import java.util.Comparator;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * How a token is drawn from the logits of all.
 *
 * @param temperature 1 draws as the model says; towards 0 the most probable token wins, above 1 the rare ones gain
 * @param topK how many of the most probable tokens take part; 0 for all
 * @param seed of the draws
 */
public record Sampling(double temperature, int topK, long seed) {
    /** Throws {@link IllegalArgumentException} unless the temperature is positive and finite and topK at least 0. */
    public Sampling {
        if (!(temperature > 0 && Double.isFinite(temperature))) {
            throw new IllegalArgumentException("temperature must be positive and finite, but is " + temperature
                    + ". For the most probable token each time, use topK = 1.");
        }
        Require.atLeast(0, "topK", topK);
    }

    /** Draws an index of {@code logits}, of which one at least is finite; never one of minus infinity. */
    int draw(float[] logits, RandomGenerator random) {
        int[] order = IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -logits[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        int candidates = topK == 0 ? order.length : Math.min(topK, order.length);
        // Relative to the largest, which becomes 1: nothing overflows at low temperatures.
        double[] weights = new double[candidates];
        double sum = 0;
        for (int i = 0; i < candidates; i++) {
            weights[i] = Math.exp(((double) logits[order[i]] - logits[order[0]]) / temperature);
            sum += weights[i];
        }
        double target = random.nextDouble() * sum;
        for (int i = 0; i < candidates; i++) {
            target -= weights[i];
            if (target < 0) return order[i];
        }
        // Reached by rounding only.
        return order[0];
    }
}
