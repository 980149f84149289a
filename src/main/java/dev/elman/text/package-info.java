/**
 * From strings to padded integer ids, with the semantics of Keras's text preprocessing.
 *
 * <p>{@link dev.elman.text.Tokenizer} maps words or characters to ids, {@link dev.elman.text.PadSequences} makes the
 * sequences equally long. No tensors here: this package imports nothing of ours, only the JDK and Gson.
 */
package dev.elman.text;
