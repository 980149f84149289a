/**
 * The definition of every operation, in double.
 *
 * <p>Plain loops in the order of the formulas; no threads, no blocking, no fused anything, no cleverness. What is written
 * here is what elman means; the other backends are judged by it, and it is judged by central differences and by PyTorch.
 * May import {@code backend} only.
 */
package dev.elman.reference;
