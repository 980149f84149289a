package dev.elman.spark;

import java.io.Serializable;

/**
 * One epoch of a fit.
 *
 * @param epoch counted from 1
 * @param loss mean over the rows while the weights moved
 * @param accuracy share of rows hit, likewise
 * @param rowsPerSecond of all workers together
 * @param exchangeShare share of the time that was spent on swapping gradients, weights and rows; NaN for an epoch that ran
 *     before a worker was lost
 */
public record EpochSummary(int epoch, double loss, double accuracy, double rowsPerSecond, double exchangeShare)
        implements Serializable {}
