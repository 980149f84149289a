/**
 * The seam: what every backend can do, spoken in layers and not in tensor operations.
 *
 * <p>Letters, everywhere: N batch rows, T steps, D input features, H hidden nodes, K classes, V vocabulary. Storage is
 * row-major and time-major, [T,N,D], so that one step is one contiguous block. Gradients of parameters are added to,
 * gradients of data are overwritten. Imports nothing of ours.
 */
package dev.elman.backend;
