/**
 * The command line: one class for each command, {@code Main} in front.
 *
 * <p>The only place that prints, and the only one that knows picocli and XChart. Commands write to a {@code Terminal} that
 * tests replace. May import everything but the backends themselves, which {@link dev.elman.Backends} opens.
 */
package dev.elman.cli;
