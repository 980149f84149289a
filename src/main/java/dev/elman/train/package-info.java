/**
 * Models and their training: the classifier, the language model, the trainer, optimizers, schedules, callbacks.
 *
 * <p>A {@code Trainer} walks epochs and batches; a {@code Learner} is what it trains. One upload a minibatch, one download:
 * loss, hits and gradient norm. May import {@code rnn}, {@code text}, {@code backend} and {@code io}.
 */
package dev.elman.train;
