/** Classes that break the rules of {@code ArchitectureRules}, each in the way its name says, and some that do not. */
package dev.elman.arch.bad;
