package dev.elman.cli;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.RecurrenceChoice;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Times whole sequences on one backend, and what that backend can do at best: one large product, one large copy. */
final class RecurrenceBench {
    private static final int MOST_SAMPLES = 15;
    private static final int QUICK_SAMPLES = 3;

    /** A sample is as many calls as take this long, so that waiting for the result hardly counts. */
    private static final double LEAST_SAMPLE = 5e-3;

    /** Random numbers that are made at a time. */
    private static final int PIECE = 1 << 20;

    private final Backend backend;
    private final boolean quick;
    private final double seconds;
    private final Random random = new Random(1);
    private final double peak;
    private final double copy;
    private final List<Row> rows = new ArrayList<>();

    /**
     * Measures the peaks.
     *
     * @param quick few samples and small peaks
     * @param seconds the most that one result may take
     */
    RecurrenceBench(Backend backend, boolean quick, double seconds) {
        this.backend = backend;
        this.quick = quick;
        this.seconds = seconds;
        peak = peakGflops();
        copy = copyGigabytes();
    }

    /**
     * One shape and pass.
     *
     * @param plan the backend's name for the way it took, in training for the way back; why it took that follows
     * @param lengths {@code full}, or {@code unequal}: from 1 to T
     * @param samples how many the median is of
     * @param millis the median; the lowest and the highest follow
     * @param shareOfPeak of the measured product's GFLOP/s
     * @param shareOfCopy of the measured copy's bytes per second, each number of x, h and their gradients counted once
     */
    record Row(
            String plan,
            String reason,
            String pass,
            String lengths,
            int n,
            int t,
            int h,
            int samples,
            double millis,
            double lowestMillis,
            double highestMillis,
            double microsPerStep,
            double gflops,
            double shareOfPeak,
            double shareOfCopy) {}

    /**
     * All of one backend.
     *
     * @param precision {@code fp32}, {@code tf32} or {@code fp64}
     */
    record Result(
            String backend,
            String precision,
            String description,
            double peakGflops,
            double copyGigabytes,
            List<Row> rows) {}

    /** Everything up to now. */
    Result result() {
        double roundoff = backend.unitRoundoff();
        String precision = roundoff > 0x1p-24 ? "tf32" : roundoff < 0x1p-24 ? "fp64" : "fp32";
        return new Result(backend.name(), precision, backend.description(), peak, copy, List.copyOf(rows));
    }

    private double peakGflops() {
        int size = quick ? 128 : backend.name().equals("cuda") ? 8192 : 2048;
        try (Tensor a = random(1 / Math.sqrt(size), size, size);
                Tensor b = random(1, size, size);
                Tensor c = backend.allocate(Shape.of(size, size))) {
            double median = median(times(() -> backend.denseForward(a, b, null, c), c));
            return 2.0 * size * size * size / median / 1e9;
        }
    }

    private double copyGigabytes() {
        int size = quick ? 1 << 18 : 1 << 27;
        try (Tensor a = backend.allocate(Shape.of(size));
                Tensor b = backend.allocate(Shape.of(size))) {
            return 2 * 4.0 * size / median(times(() -> backend.copy(a, b), b)) / 1e9;
        }
    }

    /**
     * Forward and training at one shape. Training leaves the weights as they are: the cpu backend, which copies them after each
     * change, does so once here.
     */
    List<Row> measure(BenchShapes.Shape shape) {
        int n = shape.n();
        int t = shape.t();
        int h = shape.h();
        int[] lengths = lengths(shape);
        double scale = 1 / Math.sqrt(h);
        try (Tensor wx = random(scale, h, h);
                Tensor wh = random(scale, h, h);
                Tensor b = random(scale, h);
                Tensor dwx = random(scale, h, h);
                Tensor dwh = random(scale, h, h);
                Tensor db = random(scale, h);
                Tensor x = random(1, t, n, h);
                IntTensor mask = shape.unequal() ? mask(t, lengths) : null;
                Tensor states = backend.allocate(Shape.of(t + 1, n, h));
                Tensor dStates = backend.allocate(Shape.of(t + 1, n, h));
                Tensor dx = backend.allocate(Shape.of(t, n, h))) {
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, mask);
            SimpleRnnWeights weights = new SimpleRnnWeights(wx, wh, b);
            SimpleRnnWeights gradients = new SimpleRnnWeights(dwx, dwh, db);
            List<Double> forward = times(() -> backend.simpleRnnForward(weights, pass, x, states), states);
            List<Double> training = times(
                    () -> {
                        backend.simpleRnnForward(weights, pass, x, states);
                        backend.fill(dStates, 0.01);
                        backend.simpleRnnBackward(weights, pass, x, states, dStates, dx, gradients);
                    },
                    dwx);
            double steps = IntStream.of(lengths).asLongStream().sum();
            // Two products forward; for each of them two backward.
            double flops = 2 * steps * h * (h + h);
            double bytes = 4 * steps * (h + h);
            List<Row> both = List.of(
                    row("forward", shape, forward, flops, bytes, false),
                    row("training", shape, training, 3 * flops, 2 * bytes, true));
            rows.addAll(both);
            return both;
        }
    }

    private Row row(
            String pass, BenchShapes.Shape shape, List<Double> times, double flops, double bytes, boolean backward) {
        double median = median(times);
        double gflops = flops / median / 1e9;
        RecurrenceChoice choice = backend.recurrence(shape.n(), shape.t(), shape.h(), shape.h(), backward);
        return new Row(
                choice.plan(),
                choice.reason(),
                pass,
                shape.unequal() ? "unequal" : "full",
                shape.n(),
                shape.t(),
                shape.h(),
                times.size(),
                1e3 * median,
                1e3 * times.get(0),
                1e3 * times.get(times.size() - 1),
                1e6 * median / shape.t(),
                gflops,
                gflops / peak,
                bytes / median / 1e9 / copy);
    }

    private static double median(List<Double> sorted) {
        return sorted.get(sorted.size() / 2);
    }

    /** Seconds of a call, sample by sample, sorted. Every sample waits for its result: one number comes to the host. */
    private List<Double> times(Runnable work, Tensor result) {
        Tensor first = result.view(0, Shape.of(1));
        time(1, work, first);
        long begin = System.nanoTime();
        double once = Math.min(time(1, work, first), time(1, work, first));
        int calls = quick ? 1 : (int) Math.ceil(LEAST_SAMPLE / once);
        List<Double> times = new ArrayList<>();
        do {
            times.add(time(calls, work, first));
        } while (times.size() < (quick ? QUICK_SAMPLES : MOST_SAMPLES) && (System.nanoTime() - begin) / 1e9 < seconds);
        Collections.sort(times);
        return times;
    }

    private static double time(int calls, Runnable work, Tensor first) {
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) work.run();
        first.toFloats();
        return (System.nanoTime() - start) / 1e9 / calls;
    }

    private int[] lengths(BenchShapes.Shape shape) {
        List<Integer> lengths = new ArrayList<>();
        for (int i = 1; i <= shape.n(); i++) {
            int length = (int) (((long) shape.t() * i + shape.n() - 1) / shape.n());
            lengths.add(shape.unequal() ? length : shape.t());
        }
        Collections.shuffle(lengths, random);
        return lengths.stream().mapToInt(Integer::intValue).toArray();
    }

    private IntTensor mask(int t, int... lengths) {
        int[] live = new int[Math.multiplyExact(t, lengths.length)];
        for (int i = 0; i < live.length; i++) live[i] = i / lengths.length < lengths[i % lengths.length] ? 1 : 0;
        IntTensor mask = backend.allocateInts(Shape.of(t, lengths.length));
        mask.set(live);
        return mask;
    }

    /** Numbers in -scale to scale; a long tensor repeats them. */
    private Tensor random(double scale, int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        long size = tensor.shape().size();
        float[] values = new float[(int) Math.min(size, PIECE)];
        for (int i = 0; i < values.length; i++) values[i] = (float) ((random.nextFloat() * 2 - 1) * scale);
        for (long from = 0; from < size; from += PIECE) {
            int count = (int) Math.min(PIECE, size - from);
            tensor.view(from, Shape.of(count)).set(count == values.length ? values : Arrays.copyOf(values, count));
        }
        return tensor;
    }
}
