package dev.elman.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Scaling on paper: a worker's step and a link as they were measured, everything else by arithmetic. A step of N workers
 * lasts as long as its slowest worker, whose time varies by a tenth (a normal draw), and then the ring's 2 (N - 1) rounds of
 * P / N numbers each. MLlib's way pays a job a step, which was measured too, and the driver's link, through which the
 * weights leave and the square root of N sums of gradients arrive.
 */
final class Scaling {
    /** Of a network with V = 6, D = 32, H = 128, two directions, K = 3: 2 (D H + H H + H) + V D + 2 H K + K. */
    static final int PARAMETERS = 2 * (32 * 128 + 128 * 128 + 128) + 6 * 32 + 2 * 128 * 3 + 3;

    private static final double SPREAD = 0.1;
    private static final int STEPS = 400;

    private Scaling() {}

    /** @param tree {rows per second, share of exchange} of MLlib's way with two workers */
    static List<String> report(double stepSeconds, int parameters, LinkProbe loopback, double[] tree) {
        double job = stepSeconds * tree[1] / Math.max(0.01, 1 - tree[1]);
        LinkProbe network = new LinkProbe(50e-6, 8 / 10e9);
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "step of one worker %.2f ms, job %.0f ms; loopback: %.0f us a round, %.1f GB/s; network assumed: 50"
                        + " us, 10 Gbit/s",
                1e3 * stepSeconds,
                1e3 * job,
                1e6 * loopback.latency(),
                1e-9 / loopback.secondsPerByte()));
        lines.add("| workers | ring, loopback | ring, 10 Gbit/s | ring, 10 Gbit/s, step 10 times as long | MLlib's way,"
                + " 10 Gbit/s |");
        lines.add("| ---: | ---: | ---: | ---: | ---: |");
        for (int n = 1; n <= 256; n *= 2) {
            lines.add(String.format(
                    Locale.ROOT,
                    "| %d | %.0f %% | %.0f %% | %.0f %% | %.0f %% |",
                    n,
                    100 * stepSeconds / ring(n, stepSeconds, parameters, loopback),
                    100 * stepSeconds / ring(n, stepSeconds, parameters, network),
                    100 * stepSeconds / (ring(n, 10 * stepSeconds, parameters, network) / 10),
                    100 * stepSeconds / tree(n, stepSeconds, parameters, network, job)));
        }
        return lines;
    }

    static double ring(int n, double stepSeconds, int parameters, LinkProbe link) {
        double rounds = 2.0 * (n - 1);
        return slowest(n, stepSeconds) + rounds * (link.latency() + 4.0 * parameters / n * link.secondsPerByte());
    }

    private static double tree(int n, double stepSeconds, int parameters, LinkProbe link, double job) {
        double bytes = 4.0 * parameters;
        double driver = (Math.min(n, 4) + 2 * Math.sqrt(n)) * bytes * link.secondsPerByte(); // gradients in double
        return slowest(n, stepSeconds) + job + driver;
    }

    /** Mean over many steps of the slowest of n workers. */
    private static double slowest(int n, double stepSeconds) {
        Random random = new Random(n);
        double sum = 0;
        for (int step = 0; step < STEPS; step++) {
            double slowest = 0;
            for (int worker = 0; worker < n; worker++) {
                slowest = Math.max(slowest, stepSeconds * (1 + SPREAD * random.nextGaussian()));
            }
            sum += slowest;
        }
        return sum / STEPS;
    }
}
