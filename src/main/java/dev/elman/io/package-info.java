/**
 * Files: named arrays and strings, read with distrust and written whole or not at all. Here safetensors, the format of our
 * own models; other people's formats are in packages below this one.
 *
 * <p>What the arrays mean is known to the callers. Imports nothing of ours, only the JDK and Gson.
 */
package dev.elman.io;
