package dev.elman.spark;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How workers keep their weights together.
 *
 * @param localSteps k of AVERAGE(k); 0 for ALLREDUCE
 */
record SyncMode(int localSteps) {
    private static final Pattern AVERAGE = Pattern.compile("AVERAGE\\((\\d{1,9})\\)");

    /** Of {@code ALLREDUCE} or {@code AVERAGE(k)}, in any case. */
    static SyncMode parse(String text) {
        String upper = text.strip().toUpperCase(Locale.ROOT);
        if (upper.equals("ALLREDUCE")) return new SyncMode(0);
        Matcher average = AVERAGE.matcher(upper);
        if (average.matches() && Integer.parseInt(average.group(1)) > 0) {
            return new SyncMode(Integer.parseInt(average.group(1)));
        }
        throw new IllegalArgumentException(
                "syncMode must be ALLREDUCE or AVERAGE(k) with k at least 1, but is \"" + text + "\".");
    }

    boolean allReduce() {
        return localSteps == 0;
    }
}
