package dev.elman.train;

/**
 * One long row of tokens cut into N streams of equal length that run side by side, window by window. What does not divide
 * by N is left out at the end.
 */
final class TokenStreams {
    private final int[] tokens;
    private final int streams;
    private final int window;
    /** Predictions of one stream. */
    private final int length;

    /** At most {@code rows} streams, fewer when they would not fill one window. */
    TokenStreams(int[] tokens, int rows, int window) {
        int predictions = tokens.length - 1;
        if (predictions < 1) {
            throw new IllegalArgumentException("A language model needs at least 2 tokens, but got " + tokens.length
                    + " (after what validationSplit holds back). Give a longer text.");
        }
        this.tokens = tokens;
        this.streams = Math.max(1, Math.min(rows, predictions / window));
        this.window = window;
        this.length = predictions / streams;
    }

    /** How many windows there are; the last may be shorter. */
    int windows() {
        return (length - 1) / window + 1;
    }

    /** Uploads a window, counted from 0, and returns its number of targets. */
    int load(Minibatch batch, int index) {
        int from = index * window;
        int steps = Math.min(window, length - from);
        int[] ids = new int[steps * streams];
        int[] next = new int[steps * streams];
        for (int t = 0; t < steps; t++) {
            for (int n = 0; n < streams; n++) {
                int at = n * length + from + t;
                ids[t * streams + n] = tokens[at];
                next[t * streams + n] = tokens[at + 1];
            }
        }
        batch.load(ids, next, streams);
        return ids.length;
    }
}
