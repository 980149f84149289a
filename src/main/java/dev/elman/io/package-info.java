/**
 * Model files: named arrays and strings in the safetensors format, read with distrust and written whole or not at all.
 *
 * <p>What the arrays mean is known to the callers. This package imports nothing of ours, only the JDK and Gson.
 */
package dev.elman.io;
