package dev.elman.train;

/**
 * How well a classifier does on some rows.
 *
 * @param loss mean cross-entropy, in nats, without smoothing
 * @param accuracy share of rows whose most probable class is theirs
 * @param confusion [K,K]: rows of class i that were taken for class j
 */
@SuppressWarnings("ArrayRecordComponent") // a result to read, never compared
public record Evaluation(double loss, double accuracy, int[][] confusion) {}
