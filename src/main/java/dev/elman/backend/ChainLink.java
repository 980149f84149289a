package dev.elman.backend;

/**
 * One link of the chain that a backend hangs on, such as its driver, as {@code doctor} prints it.
 *
 * @param name what it is
 * @param ok whether it holds
 * @param detail what was found; when it does not hold: the cause, what was looked for where, and what to install
 */
public record ChainLink(String name, boolean ok, String detail) {}
