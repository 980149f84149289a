package dev.elman.rnn;

/**
 * What a call that trains knows and one that predicts does not: what to drop.
 *
 * @param seed another one for each call; decides, with the configuration, every dropout of the layer
 * @param firstRow number that row 0 of the call has in the whole batch; 0 unless several workers share one
 */
public record Training(long seed, int firstRow) {}
