package dev.elman.backend;

/**
 * What one direction of a layer takes on the way back, see {@link Backend#simpleRnnBackward}.
 *
 * @param forward what the way forward took
 * @param dh gradients of the states [T+1,N,H]
 * @param dx [T,N,D], or null
 * @param gradients of the weights
 */
public record SimpleRnnBackward(SimpleRnnForward forward, Tensor dh, Tensor dx, SimpleRnnWeights gradients) {}
