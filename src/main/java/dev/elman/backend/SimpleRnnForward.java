package dev.elman.backend;

/**
 * What one direction of a layer takes forward, see {@link Backend#simpleRnnForward}.
 *
 * @param x input [T,N,D]
 * @param h states [T+1,N,H]; the initial slot is read, all others are overwritten
 */
public record SimpleRnnForward(SimpleRnnWeights weights, SimpleRnnPass pass, Tensor x, Tensor h) {}
