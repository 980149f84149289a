package dev.elman.spark;

/**
 * What a link costs: seconds of a message without content, and seconds a byte.
 *
 * @param latency of one round of the ring
 * @param secondsPerByte of what a worker sends while it receives as much
 */
record LinkProbe(double latency, double secondsPerByte) {
    private static final int ROUNDS = 200;
    private static final int FLOATS = 1 << 20;

    /** Two workers in this JVM, over loopback: the medians' floor, for a network adds to both. */
    static LinkProbe measure() throws Exception {
        double[] seconds = MeshTest.run(2, mesh -> {
                    Ring ring = new Ring(mesh);
                    return new double[] {time(ring, 2), time(ring, FLOATS)};
                })
                .get(0);
        // Two rounds of half of the values each.
        double latency = seconds[0] / 2;
        return new LinkProbe(latency, (seconds[1] - seconds[0]) / (4.0 * FLOATS));
    }

    private static double time(Ring ring, int floats) throws Exception {
        float[] values = new float[floats];
        int rounds = floats > 1000 ? ROUNDS / 10 : ROUNDS * 10;
        for (int i = 0; i < rounds; i++) ring.sum(values);
        long began = System.nanoTime();
        for (int i = 0; i < rounds; i++) ring.sum(values);
        return (System.nanoTime() - began) * 1e-9 / rounds;
    }
}
