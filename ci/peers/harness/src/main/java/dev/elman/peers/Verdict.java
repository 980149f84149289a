package dev.elman.peers;

/** Whether elman is at least as fast as the best peer, judged by the ratio of their times within each round. */
enum Verdict {
    YES("yes"),
    /** The ratio may be 1, but only a second run can say so. */
    IF_REPEATED("if a repeat agrees"),
    NO("no");

    /** Less than this is noise on a machine that others share. */
    private static final double NOISE = 1.05;

    private final String words;

    Verdict(String words) {
        this.words = words;
    }

    String words() {
        return words;
    }

    static Verdict of(Quartiles ratio) {
        if (ratio.median() <= NOISE) return YES;
        return ratio.low() <= 1 && 1 <= ratio.high() ? IF_REPEATED : NO;
    }
}
