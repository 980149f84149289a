/**
 * HDF5, written by code of ours and read through jhdf, a library that the user adds: nothing of it is loaded before the first
 * file is read, and where it is missing the error names it. May import {@code io} only.
 */
package dev.elman.io.hdf5;
