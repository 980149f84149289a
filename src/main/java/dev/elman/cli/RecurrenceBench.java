package dev.elman.cli;

import dev.elman.Backends;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.RecurrenceChoice;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.rnn.Sequences;
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
     * @param seconds after which no further sample of a result begins
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
     * @param directions of the layer, 1 or 2
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
            int directions,
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
        int size = quick ? 128 : backend.name().equals(Backends.CUDA) ? 8192 : 2048;
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
        int[] lengths = lengths(shape);
        boolean both = shape.directions() == 2;
        try (Tensor x = random(1, shape.t(), shape.n(), shape.h());
                IntTensor mask = shape.unequal() ? mask(shape.t(), lengths) : null;
                Direction one = new Direction(shape, x, mask, false);
                Direction other = both ? new Direction(shape, x, mask, true) : null) {
            Runnable forward = both ? () -> forward(one, other) : one::forward;
            Runnable backward = both ? () -> backward(one, other) : one::backward;
            List<Double> forwardTimes = times(forward, one.states);
            List<Double> trainingTimes = times(
                    () -> {
                        forward.run();
                        backward.run();
                    },
                    one.dx);
            double steps = IntStream.of(lengths).asLongStream().sum();
            double h = shape.h();
            // Two products forward in each direction; for each of them two backward.
            double flops = 2 * steps * shape.directions() * h * (h + h);
            double bytes = 4 * steps * (h + shape.directions() * h);
            List<Row> measured = List.of(
                    row("forward", shape, forwardTimes, flops, bytes, false),
                    row("training", shape, trainingTimes, 3 * flops, 2 * bytes, true));
            rows.addAll(measured);
            return measured;
        }
    }

    private void forward(Direction one, Direction other) {
        backend.bidirectionalForward(one.forward, other.forward);
    }

    private void backward(Direction one, Direction other) {
        one.fill();
        other.fill();
        backend.bidirectionalBackward(one.backward, other.backward);
        backend.axpy(1, other.dx, one.dx);
    }

    /** A direction of a layer over some x, with all that it takes there and back. */
    private final class Direction implements AutoCloseable {
        private final List<Tensor> tensors = new ArrayList<>();
        private final Tensor states;
        private final Tensor dStates;
        private final Tensor dx;
        private final SimpleRnnForward forward;
        private final SimpleRnnBackward backward;

        Direction(BenchShapes.Shape shape, Tensor x, IntTensor mask, boolean reverse) {
            int h = shape.h();
            SimpleRnnWeights weights = weights(h);
            SimpleRnnWeights gradients = weights(h);
            states = kept(backend.allocate(Shape.of(shape.t() + 1, shape.n(), h)));
            dStates = kept(backend.allocate(states.shape()));
            dx = kept(backend.allocate(x.shape()));
            forward = new SimpleRnnForward(weights, new SimpleRnnPass(Activation.TANH, reverse, mask), x, states);
            backward = new SimpleRnnBackward(forward, dStates, dx, gradients);
        }

        private SimpleRnnWeights weights(int h) {
            double scale = 1 / Math.sqrt(h);
            return new SimpleRnnWeights(kept(random(scale, h, h)), kept(random(scale, h, h)), kept(random(scale, h)));
        }

        private Tensor kept(Tensor tensor) {
            tensors.add(tensor);
            return tensor;
        }

        void forward() {
            backend.simpleRnnForward(forward);
        }

        /** The gradients that come from above are overwritten on the way back. */
        void fill() {
            backend.fill(dStates, 0.01);
        }

        void backward() {
            fill();
            backend.simpleRnnBackward(backward);
        }

        @Override
        public void close() {
            tensors.forEach(Tensor::close);
        }
    }

    private Row row(
            String pass, BenchShapes.Shape shape, List<Double> times, double flops, double bytes, boolean backward) {
        double median = median(times);
        double gflops = flops / median / 1e9;
        RecurrenceChoice choice =
                backend.recurrence(shape.n(), shape.t(), shape.h(), shape.h(), shape.directions(), backward);
        return new Row(
                choice.plan(),
                choice.reason(),
                pass,
                shape.unequal() ? "unequal" : "full",
                shape.directions(),
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

    static double median(List<Double> sorted) {
        int size = sorted.size();
        return (sorted.get((size - 1) / 2) + sorted.get(size / 2)) / 2;
    }

    /** Seconds of a call, sample by sample, sorted. Every sample waits for its result: one number comes to the host. */
    private List<Double> times(Runnable work, Tensor result) {
        Tensor first = result.view(0, Shape.of(1));
        time(1, work, first);
        long begin = System.nanoTime();
        List<Double> times = new ArrayList<>();
        do {
            times.add(time(1, work, first));
        } while (times.size() < 2 && since(begin) < seconds);
        double once = Collections.min(times);
        // A call of LEAST_SAMPLE or more is a sample by itself.
        if (once < LEAST_SAMPLE) times.clear();
        int calls = quick ? 1 : (int) Math.ceil(LEAST_SAMPLE / once);
        int most = quick ? QUICK_SAMPLES : MOST_SAMPLES;
        while (times.isEmpty() || (times.size() < most && since(begin) < seconds)) times.add(time(calls, work, first));
        Collections.sort(times);
        return times;
    }

    private static double time(int calls, Runnable work, Tensor first) {
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) work.run();
        first.toFloats();
        return since(start) / calls;
    }

    private static double since(long begin) {
        return (System.nanoTime() - begin) / 1e9;
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
        int[] live = Sequences.liveSteps(lengths, t);
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
