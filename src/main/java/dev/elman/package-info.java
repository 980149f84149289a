/**
 * Batched Elman networks (SimpleRNN): forward, back-propagation through time and training.
 *
 * <p>{@code Backends} is the front door: it opens a backend and says which one and why. It alone names
 * implementations, and so may import {@code reference}, {@code cpu}, {@code cuda} and {@code backend}.
 */
package dev.elman;
