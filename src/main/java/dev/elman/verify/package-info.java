/**
 * Does a backend compute what the reference computes? Every operation of the seam, at sizes that miss tiles.
 *
 * <p>The command {@code verify} and the contract tests run the same checks. A {@code Sample} is one way to call one
 * operation; what is asked of a sample, and of a backend as a whole, are {@code Check}s. Everything here works on a
 * backend and a reference that are given from outside. May import {@code backend} only.
 */
package dev.elman.verify;
