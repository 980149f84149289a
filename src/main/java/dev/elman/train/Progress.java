package dev.elman.train;

/**
 * Where a training is.
 *
 * @param epoch counted from 1
 * @param epochs how many there will be at most
 * @param batch counted from 1
 * @param batches of this epoch
 * @param loss mean over this epoch so far
 * @param accuracy share of this epoch's targets that were hit so far
 */
public record Progress(int epoch, int epochs, int batch, int batches, double loss, double accuracy) {}
