package dev.elman.rnn;

/** What a layer must have before it goes back. */
final class WayBack {
    private WayBack() {}

    /** Throws {@link IllegalStateException} when there are no gradients to add to. */
    static void requireGradients(String operation, Object gradients) {
        if (gradients == null) {
            throw new IllegalStateException(
                    operation + ": this layer was made without gradients. Make it with them to train it.");
        }
    }

    /** Throws {@link IllegalStateException} when nothing is left of a way forward. */
    static void requireForward(String operation, Object left) {
        if (left == null) {
            throw new IllegalStateException(operation + ": there is nothing to go back through. Call forward first.");
        }
    }
}
