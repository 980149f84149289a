package dev.elman.train;

/**
 * Mean loss and share of hits over some targets.
 *
 * @param loss mean cross-entropy, in nats
 * @param accuracy share of targets whose class was the most probable
 * @param count number of targets
 */
public record Metrics(double loss, double accuracy, long count) {
    /** exp(loss): how many equally likely choices would be as hard. */
    public double perplexity() {
        return Math.exp(loss);
    }
}
