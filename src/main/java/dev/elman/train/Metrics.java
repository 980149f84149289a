package dev.elman.train;

/**
 * Mean loss and share of hits over some targets.
 *
 * @param loss mean cross-entropy, in nats
 * @param accuracy share of targets whose class was the most probable
 * @param count number of targets
 */
public record Metrics(double loss, double accuracy, long count) {
    /** Not more than 1, though the weights of hits are summed in float. */
    static double accuracy(double hits, double weight) {
        return Math.min(1, hits / weight);
    }

    /** exp(loss): how many equally likely choices would be as hard. */
    public double perplexity() {
        return Math.exp(loss);
    }
}
