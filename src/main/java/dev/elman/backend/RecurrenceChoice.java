package dev.elman.backend;

/**
 * How a backend would run a recurrence, for people.
 *
 * @param plan a word, such as {@code graph}; the backend's name where it has only one way
 * @param reason why this plan and no other
 */
public record RecurrenceChoice(String plan, String reason) {}
