/**
 * float32 on all cores of this machine: off-heap tensors, threads that share rows or columns, OpenBLAS or plain Java.
 *
 * <p>How work is cut depends on the number of threads only where that changes no bit. Loops run on heap copies of a few
 * thousand elements, because C2 vectorises those. May import {@code backend} only.
 */
package dev.elman.cpu;
