/**
 * Model files: the safetensors format, read with distrust and written in one piece.
 *
 * <p>Knows tensors by name and metadata as strings, and nothing of models. May import nothing of ours.
 */
package dev.elman.io;
