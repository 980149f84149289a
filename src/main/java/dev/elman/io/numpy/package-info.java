/**
 * NumPy's files: one array ({@code .npy}) or several by name ({@code .npz}), read with distrust and written whole or not
 * at all. May import {@code io} only.
 */
package dev.elman.io.numpy;
