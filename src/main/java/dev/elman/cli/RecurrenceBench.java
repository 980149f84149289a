package dev.elman.cli;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Times whole sequences on one backend, and what that backend can do at best: one large product, one large copy. */
final class RecurrenceBench {
    private static final int[][] SHAPES = {
        // N, T, H
        {1, 512, 64}, {1, 512, 512}, {32, 512, 64}, {32, 512, 256}, {32, 512, 512},
        {128, 512, 256}, {128, 512, 512}, {128, 512, 1024}, {512, 128, 512}, {512, 128, 1024}
    };
    private static final int[][] QUICK_SHAPES = {{1, 16, 32}, {16, 16, 64}};

    private static final int MOST_SAMPLES = 15;
    private static final long MOST_NANOS = 3_000_000_000L;

    private final Backend backend;
    private final boolean quick;
    private final Random random = new Random(1);

    RecurrenceBench(Backend backend, boolean quick) {
        this.backend = backend;
        this.quick = quick;
    }

    /**
     * One shape and pass.
     *
     * @param shareOfPeak of the measured product's GFLOP/s
     * @param shareOfCopy of the measured copy's bytes per second, each number of x, h and their gradients counted once
     */
    record Row(
            String pass,
            int n,
            int t,
            int h,
            double millis,
            double microsPerStep,
            double gflops,
            double shareOfPeak,
            double shareOfCopy) {}

    /** All of one backend. */
    record Result(String backend, String description, double peakGflops, double copyGigabytes, List<Row> rows) {}

    Result run() {
        double peak = peakGflops();
        double copy = copyGigabytes();
        List<Row> rows = new ArrayList<>();
        for (int[] shape : quick ? QUICK_SHAPES : SHAPES)
            rows.addAll(recurrence(shape[0], shape[1], shape[2], peak, copy));
        return new Result(backend.name(), backend.description(), peak, copy, rows);
    }

    private double peakGflops() {
        int size = quick ? 128 : backend.name().equals("cuda") ? 8192 : 2048;
        try (Tensor a = random(size, size);
                Tensor b = random(size, size);
                Tensor c = backend.allocate(Shape.of(size, size))) {
            double seconds = median(() -> backend.denseForward(a, b, null, c), c);
            return 2.0 * size * size * size / seconds / 1e9;
        }
    }

    private double copyGigabytes() {
        int size = quick ? 1 << 18 : 1 << 27;
        try (Tensor a = backend.allocate(Shape.of(size));
                Tensor b = backend.allocate(Shape.of(size))) {
            return 2 * 4.0 * size / median(() -> backend.copy(a, b), b) / 1e9;
        }
    }

    private List<Row> recurrence(int n, int t, int h, double peak, double copy) {
        SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, null);
        try (Tensor wx = random(h, h);
                Tensor wh = random(h, h);
                Tensor b = random(h);
                Tensor dwx = random(h, h);
                Tensor dwh = random(h, h);
                Tensor db = random(h);
                Tensor x = random(t, n, h);
                Tensor states = backend.allocate(Shape.of(t + 1, n, h));
                Tensor dStates = backend.allocate(Shape.of(t + 1, n, h));
                Tensor dx = backend.allocate(Shape.of(t, n, h))) {
            SimpleRnnWeights weights = new SimpleRnnWeights(wx, wh, b);
            SimpleRnnWeights gradients = new SimpleRnnWeights(dwx, dwh, db);
            double forward = median(() -> backend.simpleRnnForward(weights, pass, x, states), states);
            double both = median(
                    () -> {
                        backend.simpleRnnForward(weights, pass, x, states);
                        backend.fill(dStates, 0.01);
                        backend.simpleRnnBackward(weights, pass, x, states, dStates, dx, gradients);
                    },
                    dwx);
            double steps = (double) t * n;
            // Two products forward; for each of them two backward.
            double flops = 2 * steps * h * (h + h);
            double bytes = 4 * steps * (h + h);
            return List.of(
                    row("forward", n, t, h, forward, flops, bytes, peak, copy),
                    row("forward, backward", n, t, h, both, 3 * flops, 2 * bytes, peak, copy));
        }
    }

    private static Row row(
            String pass, int n, int t, int h, double seconds, double flops, double bytes, double peak, double copy) {
        double gflops = flops / seconds / 1e9;
        return new Row(
                pass, n, t, h, 1e3 * seconds, 1e6 * seconds / t, gflops, gflops / peak, bytes / seconds / 1e9 / copy);
    }

    /** The median time of a run in seconds. Every sample waits for its result: one number comes back to the host. */
    private double median(Runnable work, Tensor result) {
        Tensor first = result.view(0, Shape.of(1));
        work.run();
        first.toFloats();
        long begin = System.nanoTime();
        List<Double> seconds = new ArrayList<>();
        while (seconds.isEmpty()
                || (seconds.size() < (quick ? 3 : MOST_SAMPLES) && System.nanoTime() - begin < MOST_NANOS)) {
            long start = System.nanoTime();
            work.run();
            first.toFloats();
            seconds.add((System.nanoTime() - start) / 1e9);
        }
        Collections.sort(seconds);
        return seconds.get(seconds.size() / 2);
    }

    private Tensor random(int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        float[] values = new float[Math.toIntExact(tensor.shape().size())];
        float scale = (float) (1 / Math.sqrt((double) extents[extents.length - 1]));
        for (int i = 0; i < values.length; i++) values[i] = (random.nextFloat() * 2 - 1) * scale;
        tensor.set(values);
        return tensor;
    }
}
