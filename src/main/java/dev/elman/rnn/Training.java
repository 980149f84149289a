package dev.elman.rnn;

/**
 * Given to forward while training: decides what dropout drops.
 *
 * @param seed another one for each call; decides, with the configuration, every dropout of the layer
 * @param firstRow number that row 0 of the call has in the whole batch; 0 unless several workers share one
 */
public record Training(long seed, int firstRow) {}
