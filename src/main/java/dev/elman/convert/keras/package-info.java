/** Keras's model files: layers by name, their configuration where the file has it, and the network they make. */
package dev.elman.convert.keras;
