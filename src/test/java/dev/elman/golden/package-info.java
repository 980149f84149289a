/**
 * Every backend against numbers from elsewhere: the notebook's, and PyTorch's.
 *
 * <p>PyTorch's lie in {@code golden} among the test resources; {@code ci/golden.py} made them and says what is in them.
 */
package dev.elman.golden;
