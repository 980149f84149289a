/**
 * What has parameters: the recurrent layer, the embedding, the dense layer, and how their weights begin.
 *
 * <p>A layer owns the buffers of its results, which grow to the largest shape seen and are overwritten by the next call.
 * {@code forward} remembers its input, which must stay as it is until {@code backward}; this takes the gradient of what
 * forward returned, adds to the parameter gradients and returns the gradient of the input. May import {@code backend} only.
 */
package dev.elman.rnn;
