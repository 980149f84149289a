package dev.elman.peers;

import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;

/** Measures while nobody else works: waits for that, and repeats what was disturbed all the same. */
final class QuietMachine {
    /** After each measurement: the thread pools of native libraries then have stopped spinning. */
    private static final long SETTLE_MILLIS = 220;

    /** The share of the cores that others may have. */
    private static final double FOREIGN = 0.06;

    private static final int ATTEMPTS = 6;

    /** A measurement that takes longer is not repeated. */
    private static final double TOO_DEAR_MILLIS = 3000;

    private double patienceMillis;
    private double waitedMillis;
    private int measured;
    private int repeated;
    private int disturbed;
    private double worst;

    /** @param patienceMillis how long it may wait for others in all */
    QuietMachine(double patienceMillis) {
        this.patienceMillis = patienceMillis;
    }

    /**
     * The milliseconds of each call that a peer makes until the budget is spent; of several attempts the least
     * disturbed.
     */
    double[] time(PeerProcess peer, Mode mode, double budgetMillis) throws IOException {
        double[] times = null;
        double least = Double.POSITIVE_INFINITY;
        double tookMillis = 0;
        for (int attempt = 0; attempt < ATTEMPTS && tookMillis < TOO_DEAR_MILLIS && least > FOREIGN; attempt++) {
            if (attempt > 0) repeated++;
            settle();
            long own = peer.ticks();
            long busy = Machine.busyTicks();
            long start = System.nanoTime();
            String reply = peer.ask("time", mode, budgetMillis);
            tookMillis = (System.nanoTime() - start) / 1e6;
            double foreign = share(Machine.busyTicks() - busy - (peer.ticks() - own), tookMillis);
            measured++;
            if (foreign >= least) continue;
            least = foreign;
            times = Arrays.stream(reply.split(" "))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
        }
        if (least > FOREIGN) disturbed++;
        worst = Math.max(worst, Math.min(least, 1));
        return times;
    }

    /** Waits until native threads have stopped spinning, and, as long as patience lasts, until nobody else is busy. */
    void settle() throws IOException {
        while (true) {
            long busy = Machine.busyTicks();
            sleep();
            // Twice as much as in a measurement: the time is short and the ticks are coarse.
            boolean quiet = share(Machine.busyTicks() - busy, SETTLE_MILLIS) <= 2 * FOREIGN;
            if (quiet || patienceMillis <= 0) return;
            patienceMillis -= SETTLE_MILLIS;
            waitedMillis += SETTLE_MILLIS;
        }
    }

    private static void sleep() throws IOException {
        try {
            Thread.sleep(SETTLE_MILLIS);
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
    }

    private static double share(long ticks, double millis) {
        return Math.max(0, ticks * Machine.MILLIS_PER_TICK / (Machine.CORES * millis));
    }

    /** One sentence or two for the report. */
    String report() {
        return String.format(
                Locale.ROOT,
                "%d measurements; %d were repeated because others had over %.0f %% of the cores, %d were kept although"
                        + " disturbed (others' largest share: %.0f %%). Waited %.0f s for a quiet machine.",
                measured,
                repeated,
                100 * FOREIGN,
                disturbed,
                100 * worst,
                waitedMillis / 1000);
    }
}
