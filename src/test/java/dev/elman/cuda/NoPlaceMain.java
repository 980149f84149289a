package dev.elman.cuda;

import dev.elman.backend.Backend;
import dev.elman.backend.Tensor;
import dev.elman.cpu.CpuBackend;
import dev.elman.rnn.Sequences;
import dev.elman.rnn.SimpleRnn;
import dev.elman.rnn.SimpleRnnConfig;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/** Trains layers on a device of which this process may use few multiprocessors, and tells which plans ran and how right they were. */
final class NoPlaceMain {
    private static final int ROWS = 3;
    private static final int STEPS = 4;

    private NoPlaceMain() {}

    public static void main(String[] args) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (CudaBackend cuda = CudaBackend.open();
                Backend cpu = CpuBackend.open(1)) {
            for (int hidden : new int[] {400, 600}) {
                String before = plan(cuda, hidden);
                float[] expected = gradient(cpu, hidden);
                float[] found = gradient(cuda, hidden);
                double off = 0;
                for (int i = 0; i < found.length; i++) off = Math.max(off, Math.abs(found[i] - expected[i]));
                out.println(before + " then " + plan(cuda, hidden) + (off < 1e-4 ? " right" : " off by " + off));
                out.println(cuda.recurrence(ROWS, STEPS, 5, hidden, 1, false).reason());
            }
        } catch (RuntimeException e) {
            out.println(e.getMessage());
        }
    }

    private static String plan(CudaBackend cuda, int hidden) {
        return cuda.recurrence(ROWS, STEPS, 5, hidden, 1, false).plan();
    }

    private static float[] gradient(Backend backend, int hidden) {
        float[][][] x = new float[ROWS][STEPS][5];
        Random random = new Random(1);
        for (float[][] row : x) for (float[] step : row) for (int d = 0; d < 5; d++) step[d] = random.nextFloat();
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(5, hidden), 2);
                Tensor input = Sequences.of(x).upload(backend)) {
            float[] states = rnn.forward(input, null).toFloats();
            float[] gradient = rnn.backward(rnn.forward(input, null)).toFloats();
            float[] all = Arrays.copyOf(states, states.length + gradient.length);
            System.arraycopy(gradient, 0, all, states.length, gradient.length);
            return all;
        }
    }
}
