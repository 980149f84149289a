/**
 * Networks on their way between elman and others: {@link dev.elman.convert.Network} is what all of them have in common, and
 * each format has a class that reads it, writes it, or both.
 *
 * <p>A format's class knows names and orientations; bytes are {@code io}'s business, layers are {@code rnn}'s and {@code
 * train}'s, tokenizers are {@code text}'s. May import {@code io}, {@code train}, {@code text}, {@code rnn} and {@code backend}.
 */
package dev.elman.convert;
