package dev.elman.backend;

/**
 * The parameters of one direction of one layer, or their gradients. Keras's orientation; PyTorch's matrices are the
 * transposes, and its two biases add up to {@code b}.
 *
 * @param wx input weights [D,H]
 * @param wh recurrent weights [H,H]
 * @param b bias [H], or null for a layer without
 */
public record SimpleRnnWeights(Tensor wx, Tensor wh, Tensor b) {}
