package dev.elman.rnn;

import static dev.elman.rnn.LayerContract.D;
import static dev.elman.rnn.LayerContract.H;
import static dev.elman.rnn.LayerContract.N;
import static dev.elman.rnn.LayerContract.T;
import static dev.elman.rnn.LayerContract.numbers;
import static dev.elman.rnn.LayerContract.uniform;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;

/**
 * A layer's states between its calls: carried on, reset, set and gone back to; calls and equalities for the contract. The
 * sequence of a call is closed when it has run back, before states are gone back to.
 */
final class CarriedStates {
    private static final int ROW = 2;

    private CarriedStates() {}

    /** Outputs, states and gradients of calls that each begin with other states. */
    static List<double[]> sevenCalls(Backend backend, SimpleRnnConfig config, boolean masked, Training training) {
        Random random = new Random(5);
        List<double[]> results = new ArrayList<>();
        try (SimpleRnn rnn = SimpleRnn.create(backend, config, Initializers.torchDefaults(), 1);
                Tensor states = uniform(backend, random, N, config.stateSize())) {
            Runnable call = () -> results.addAll(call(rnn, backend, N, masked, training, random));
            call.run();
            call.run();
            rnn.resetState(1, 3);
            call.run();
            float[] row = new float[config.stateSize()];
            Arrays.fill(row, .25f);
            rnn.setState(ROW, row);
            call.run();
            rnn.resumeAfter(2);
            call.run();
            rnn.setState(states);
            call.run();
            rnn.resetState();
            results.addAll(call(rnn, backend, N - 1, masked, training, random));
            LayerContract.addGradients(rnn, results);
        }
        return results;
    }

    /** Forward and back over a new sequence: output, states, dx. */
    private static List<double[]> call(
            SimpleRnn rnn, Backend backend, int n, boolean masked, Training training, Random random) {
        try (Tensor x = uniform(backend, random, T, n, D);
                IntTensor mask = masked ? LayerContract.mask(backend, T, n) : null) {
            Tensor y = rnn.forward(x, mask, null, training);
            List<double[]> results =
                    new ArrayList<>(List.of(y.toDoubles(), rnn.state().toDoubles()));
            try (Tensor dy = backend.allocate(y.shape());
                    Tensor dState = uniform(backend, random, n, rnn.config().stateSize())) {
                dy.set(numbers(random, y.shape()));
                results.add(rnn.backward(dy, dState, true).toDoubles());
            }
            return results;
        }
    }

    private static SimpleRnn layer(Backend backend) {
        SimpleRnnConfig config = SimpleRnnConfig.of(D, H).withLayers(2).withStateful(true);
        return SimpleRnn.create(backend, config, Initializers.torchDefaults(), 1);
    }

    static void pieces(Backend backend, BiConsumer<double[], double[]> same) {
        try (SimpleRnn whole = layer(backend);
                SimpleRnn pieces = layer(backend);
                Tensor x = uniform(backend, new Random(2), T, N, D)) {
            double[] expected = whole.forward(x, null).toDoubles();
            int from = 0;
            for (int steps : new int[] {1, 3, T - 4}) {
                double[] y = pieces.forward(x.slice(from, steps), null).toDoubles();
                same.accept(steps(expected, from, steps), y);
                from += steps;
            }
            same.accept(whole.state().toDoubles(), pieces.state().toDoubles());
        }
    }

    /** The numbers of some steps of [T,N,H]. */
    private static double[] steps(double[] all, int from, int count) {
        return Arrays.copyOfRange(all, from * N * H, (from + count) * N * H);
    }

    static void resetRows(Backend backend, BiConsumer<double[], double[]> same) {
        try (SimpleRnn rnn = layer(backend);
                SimpleRnn carried = layer(backend);
                SimpleRnn fresh = layer(backend);
                Tensor first = uniform(backend, new Random(2), T, N, D);
                Tensor second = uniform(backend, new Random(3), T, N, D)) {
            rnn.forward(first, null);
            carried.forward(first, null);
            rnn.resetState(1, 3);
            double[] y = rnn.forward(second, null).toDoubles();
            double[] goesOn = carried.forward(second, null).toDoubles();
            double[] begins = fresh.forward(second, null).toDoubles();
            double[] expected = new double[y.length];
            for (int i = 0; i < y.length; i++) {
                int row = i / H % N;
                expected[i] = row == 1 || row == 3 ? begins[i] : goesOn[i];
            }
            same.accept(expected, y);
        }
    }

    static void resumed(Backend backend, BiConsumer<double[], double[]> same) {
        try (SimpleRnn rnn = layer(backend);
                Tensor x = uniform(backend, new Random(2), T, N, D)) {
            double[] whole = rnn.forward(x, null).toDoubles();
            rnn.resumeAfter(2);
            same.accept(
                    steps(whole, 2, T - 2), rnn.forward(x.slice(2, T - 2), null).toDoubles());
            rnn.resumeAfter(0);
            same.accept(
                    steps(whole, 2, T - 2), rnn.forward(x.slice(2, T - 2), null).toDoubles());
        }
    }

    /** k1 = 2 and k2 = 4; what is expected is a call from states that do not know where they are from. */
    static void truncated(Backend backend, BiConsumer<double[], double[]> same) {
        int k1 = 2;
        int k2 = 4;
        try (SimpleRnn rnn = layer(backend);
                SimpleRnn plain = layer(backend);
                Tensor x = uniform(backend, new Random(2), T, N, D);
                Tensor upstream = uniform(backend, new Random(3), T, N, H)) {
            for (int to = k1; to <= T; to += k1) {
                int from = Math.max(0, to - k2);
                rnn.clearGradients();
                plain.clearGradients();
                rnn.forward(x.slice(from, to - from), null);
                plain.resetState();
                if (from > 0) plain.forward(x.slice(0, from), null);
                plain.forward(x.slice(from, to - from), null);
                try (Tensor dy = backend.allocate(Shape.of(to - from, N, H))) {
                    backend.fill(dy, 0);
                    backend.copy(upstream.slice(to - k1, k1), dy.slice(to - k1 - from, k1));
                    same.accept(plain.backward(dy).toDoubles(), rnn.backward(dy).toDoubles());
                }
                for (int i = 0; i < 2; i++) {
                    same.accept(
                            plain.gradients(i).wx().toDoubles(),
                            rnn.gradients(i).wx().toDoubles());
                    same.accept(
                            plain.gradients(i).wh().toDoubles(),
                            rnn.gradients(i).wh().toDoubles());
                }
                rnn.resumeAfter(Math.max(0, to + k1 - k2) - from);
            }
        }
    }
}
