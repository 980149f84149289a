/**
 * Batched Elman networks (SimpleRNN): forward, back-propagation through time and training.
 *
 * <p>{@code Backends} is the front door: it opens a backend and says which one and why. It alone names implementations.
 */
package dev.elman;
