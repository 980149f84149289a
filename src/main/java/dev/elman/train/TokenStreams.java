package dev.elman.train;

/**
 * One long row of tokens cut into N streams of equal length that run side by side, window by window. What does not divide
 * by N is left out at the end. A window may begin with steps of those before it, whose targets do not count again.
 */
final class TokenStreams {
    private final int[] tokens;
    private final int streams;
    private final int window;
    private final int backSteps;
    /** Predictions of one stream. */
    private final int length;

    /**
     * At most {@code rows} streams, fewer when they would not fill one window.
     *
     * @param window steps whose targets are new
     * @param backSteps steps of a window with those of the windows before, at least {@code window}
     */
    TokenStreams(int[] tokens, int rows, int window, int backSteps) {
        int predictions = tokens.length - 1;
        if (predictions < 1) {
            throw new IllegalArgumentException(
                    "A language model needs at least 2 tokens, but got " + tokens.length + ". Give a longer text.");
        }
        this.tokens = tokens;
        this.streams = Math.max(1, Math.min(rows, predictions / window));
        this.window = window;
        this.backSteps = backSteps;
        this.length = predictions / streams;
    }

    /** How many windows there are; the last may be shorter. */
    int windows() {
        return (length - 1) / window + 1;
    }

    /** How many steps at the beginning of a window, counted from 0, the windows before it had too. */
    int overlap(int index) {
        return Math.min(index * window, backSteps - window);
    }

    /** How many steps a window has, those of the windows before it included. */
    int steps(int index) {
        return overlap(index) + Math.min(window, length - index * window);
    }

    /** Uploads a window, counted from 0, and returns its number of targets. */
    int load(Minibatch batch, int index) {
        int overlap = overlap(index);
        int from = index * window - overlap;
        int steps = steps(index);
        int[] ids = new int[steps * streams];
        int[] next = new int[steps * streams];
        for (int t = 0; t < steps; t++) {
            for (int n = 0; n < streams; n++) {
                int at = n * length + from + t;
                ids[t * streams + n] = tokens[at];
                next[t * streams + n] = t < overlap ? -1 : tokens[at + 1];
            }
        }
        batch.load(ids, next, streams);
        return (steps - overlap) * streams;
    }
}
