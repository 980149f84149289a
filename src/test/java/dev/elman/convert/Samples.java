package dev.elman.convert;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import dev.elman.rnn.Dense;
import dev.elman.rnn.Embedding;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnn;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Networks with random weights, input for them, and what elman answers. */
public final class Samples {
    private Samples() {}

    public static Network network(int vocabulary, SimpleRnnConfig config, int classes, long seed) {
        Random random = new Random(seed);
        List<Parameters.Spec> specs = new ArrayList<>();
        if (vocabulary > 0) specs.addAll(Embedding.specs("embedding", vocabulary, config.inputSize()));
        specs.addAll(SimpleRnn.specs("rnn", config));
        if (classes > 0) specs.addAll(Dense.specs("dense", config.outputSize(), classes));
        Map<String, NdArray> weights = new LinkedHashMap<>();
        for (Parameters.Spec spec : specs) {
            float[] values = new float[(int) spec.shape().size()];
            for (int i = 0; i < values.length; i++) values[i] = (float) (0.4 * random.nextGaussian());
            long[] extents = new long[spec.shape().rank()];
            for (int axis = 0; axis < extents.length; axis++)
                extents[axis] = spec.shape().extent(axis);
            weights.put(spec.name(), NdArray.ofFloats(values, extents));
        }
        return new Network(vocabulary, config, classes, weights);
    }

    /** The config in every habit that no array shows: each alone, and some together. */
    public static List<SimpleRnnConfig> habits(SimpleRnnConfig config) {
        List<SimpleRnnConfig> habits = new ArrayList<>();
        for (Activation activation : Activation.values()) {
            habits.add(config.withActivation(activation).withOutput(Output.MEAN));
        }
        for (Output output : Output.values()) {
            habits.add(config.withOutput(output));
            for (Merge merge : Merge.values()) {
                habits.add(config.withOutput(output).withBidirectional(true).withMerge(merge));
            }
        }
        habits.add(config.withGoBackwards(true));
        habits.add(config.withGoBackwards(true).withOutput(Output.LAST));
        habits.add(config.withZeroOutputForMask(true));
        habits.add(config.withStateful(true));
        habits.add(config.withGoBackwards(true)
                .withStateful(true)
                .withZeroOutputForMask(true)
                .withOutput(Output.LAST));
        return habits;
    }

    /** x [T,N,D] and h0 [layers x directions,N,H]. */
    public static SafeTensors features(SimpleRnnConfig config, int steps, int rows, long seed) {
        Random random = new Random(seed);
        Map<String, NdArray> arrays = new LinkedHashMap<>();
        arrays.put(
                "x",
                NdArray.ofDoubles(
                        gaussian(random, steps * rows * config.inputSize()), steps, rows, config.inputSize()));
        arrays.put(
                "h0",
                NdArray.ofDoubles(
                        gaussian(random, config.stateSize() * rows), directions(config), rows, config.hiddenSize()));
        return new SafeTensors(arrays, Map.of());
    }

    /** Of all layers. */
    private static int directions(SimpleRnnConfig config) {
        return config.layers() * config.directions();
    }

    private static double[] gaussian(Random random, int size) {
        return random.doubles(size, -1, 1).map(value -> (float) value).toArray();
    }

    /** x [T,N] of ids. */
    public static SafeTensors tokens(int vocabulary, int steps, int rows, long seed) {
        int[] ids = new Random(seed).ints((long) steps * rows, 0, vocabulary).toArray();
        return new SafeTensors(Map.of("x", NdArray.ofInts(ids, steps, rows)), Map.of());
    }

    /**
     * y, and hn [layers x directions,N,H] where there was an h0.
     *
     * @param in x [T,N,D] or [T,N], perhaps h0 [layers x directions,N,H], perhaps mask [T,N]
     */
    public static Map<String, NdArray> run(Backend backend, Network network, Map<String, NdArray> in) {
        SimpleRnnConfig config = network.rnn();
        NdArray given = in.get("x");
        int steps = (int) given.shape()[0];
        int rows = (int) given.shape()[1];
        Map<String, NdArray> out = new LinkedHashMap<>();
        try (Parameters weights = Parameters.allocate(backend, network.specs());
                SimpleRnn rnn = new SimpleRnn(backend, config, "rnn", weights, weights);
                Tensor x = backend.allocate(Shape.of(steps, rows, config.inputSize()));
                Tensor h0 = backend.allocate(Shape.of(rows, config.stateSize()));
                IntTensor mask = backend.allocateInts(Shape.of(steps, rows))) {
            weights.views()
                    .forEach(
                            (name, view) -> view.set(network.weights().get(name).floats()));
            if (network.vocabulary() > 0) {
                try (IntTensor ids = backend.allocateInts(Shape.of(steps, rows));
                        Embedding embedding = new Embedding(backend, "embedding", weights, weights)) {
                    ids.set(given.ints());
                    x.set(embedding.forward(ids).toDoubles());
                }
            } else {
                x.set(given.doubles());
            }
            if (in.containsKey("h0")) h0.set(sideBySide(in.get("h0").doubles(), config, rows));
            if (in.containsKey("mask")) mask.set(in.get("mask").ints());
            Tensor y = rnn.forward(x, in.containsKey("mask") ? mask : null, h0);
            out.put(
                    "hn",
                    NdArray.ofDoubles(
                            apart(rnn.state().toDoubles(), config, rows),
                            directions(config),
                            rows,
                            config.hiddenSize()));
            if (network.classes() > 0) {
                try (Dense dense = new Dense(backend, "dense", weights, weights)) {
                    out.put("y", array(dense.forward(y)));
                }
            } else {
                out.put("y", array(y));
            }
        }
        return out;
    }

    private static NdArray array(Tensor tensor) {
        long[] extents = new long[tensor.shape().rank()];
        for (int axis = 0; axis < extents.length; axis++)
            extents[axis] = tensor.shape().extent(axis);
        return NdArray.ofDoubles(tensor.toDoubles(), extents);
    }

    /** [N,S] of [layers x directions,N,H]. */
    private static double[] sideBySide(double[] states, SimpleRnnConfig config, int rows) {
        double[] result = new double[states.length];
        int hidden = config.hiddenSize();
        int count = directions(config);
        for (int d = 0; d < count; d++) {
            for (int n = 0; n < rows; n++) {
                System.arraycopy(states, (d * rows + n) * hidden, result, (n * count + d) * hidden, hidden);
            }
        }
        return result;
    }

    /** [layers x directions,N,H] of [N,S]. */
    private static double[] apart(double[] states, SimpleRnnConfig config, int rows) {
        double[] result = new double[states.length];
        int hidden = config.hiddenSize();
        int count = directions(config);
        for (int d = 0; d < count; d++) {
            for (int n = 0; n < rows; n++) {
                System.arraycopy(states, (n * count + d) * hidden, result, (d * rows + n) * hidden, hidden);
            }
        }
        return result;
    }
}
