/**
 * The built-in data set, so that the first command trains on real words without a download or a file: names of things in
 * eighteen languages from the JDK's own CLDR data, split so that no translation leaks, and the baselines to beat.
 *
 * <p>May import nothing of ours.
 */
package dev.elman.data;
