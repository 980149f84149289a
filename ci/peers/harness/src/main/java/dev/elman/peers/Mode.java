package dev.elman.peers;

/** What a timed call does. */
enum Mode {
    /** An inference pass. */
    FORWARD("Forward", 1),
    /** The full gradient dx, dWx, dWh, db for a given dL/dy, with the forward pass it takes, without an update. */
    FORWARD_BACKWARD("Forward + backward", 3);

    private final String title;
    private final int passes;

    Mode(String title, int passes) {
        this.title = title;
        this.passes = passes;
    }

    String title() {
        return title;
    }

    /** As multiples of a forward pass: backward has two products for each of its. */
    double operations(Sizes sizes) {
        return passes * sizes.forwardOperations();
    }

    void run(Peer peer) throws Exception {
        if (this == FORWARD) peer.forward();
        else peer.forwardBackward();
    }
}
