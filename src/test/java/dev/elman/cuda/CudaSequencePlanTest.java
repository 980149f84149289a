package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The recurrence in one launch, with every kernel: right, and the same bits for a row whoever its neighbours are and however
 * many rows a block has.
 */
@Tag("cuda")
class CudaSequencePlanTest {
    private static final double TOLERANCE = 2e-5;

    private CudaBackend cuda;
    private Backend reference;

    @BeforeEach
    void open() {
        // With products whose rows keep their bits, so that only the plan is judged.
        cuda = (CudaBackend) Required.open(
                "cuda", () -> CudaBackend.open(CudaSettings.fromProperties().withProducts(CudaSettings.Products.OWN)));
        reference = new ReferenceBackend();
    }

    @AfterEach
    void close() {
        if (cuda == null) return;
        assertEquals(0, cuda.liveTensors());
        cuda.close();
        reference.close();
    }

    /** Full and padded sizes; on 1000 multiprocessors a block has one row, on one as many as it can hold. */
    @ParameterizedTest
    @CsvSource({
        "block, 1, 1, 3, 1000",
        "block, 20, 5, 9, 1000",
        "block, 64, 3, 4, 1000",
        "block, 100, 2, 5, 1000",
        "block, 128, 3, 4, 1000",
        "block, 130, 2, 3, 1000",
        "block, 192, 2, 5, 1000",
        "block, 1, 9, 4, 1",
        "block, 33, 19, 7, 1",
        "block, 64, 11, 5, 1",
        "block, 65, 19, 4, 1",
        "block, 128, 6, 2, 1",
        "block, 150, 9, 3, 1",
        "block, 192, 5, 4, 1",
        "cluster, 193, 2, 3, 1000",
        "cluster, 256, 3, 4, 1000",
        "cluster, 300, 2, 3, 1000",
        "cluster, 512, 2, 5, 1000",
        "cluster, 200, 9, 3, 4",
        "cluster, 256, 5, 4, 4",
        "cluster, 256, 19, 3, 2",
        "cluster, 384, 2, 3, 8",
        "cluster, 384, 3, 3, 8",
        "cluster, 380, 10, 3, 8",
        "cluster, 400, 9, 3, 8",
        "cluster, 500, 3, 3, 8",
        "cluster, 512, 5, 2, 8",
        "cluster, 512, 7, 3, 8",
        "cluster, 512, 2, 3, 8",
        "cluster, 511, 10, 3, 8",
        "grid, 40, 1, 70, 4",
        "grid, 256, 3, 9, 16",
        "grid, 250, 5, 3, 4",
        "grid, 255, 9, 20, 4",
        "grid, 250, 9, 30, 4",
        "grid, 512, 2, 3, 16",
        "grid, 300, 9, 3, 8",
        "grid, 768, 1, 3, 24",
        "grid, 700, 5, 3, 24",
        "grid, 1024, 1, 3, 32",
        "grid, 1001, 6, 3, 32",
        "grid, 1100, 1, 3, 128",
        "grid, 2048, 3, 2, 128"
    })
    void asTheReference(String plan, int hidden, int rows, int steps, int multiprocessors) {
        assumeClusters(plan);
        int turn = hidden;
        for (Activation activation : Activation.values()) {
            for (boolean masked : new boolean[] {false, true}) {
                Case one = new Case(
                        plan, steps, rows, hidden, activation, turn / 2 % 2 == 0, masked, masked || turn % 4 != 0);
                if (++turn % 3 != 0) one.dropout = new Dropout(.4, 7, 0, true);
                List<double[]> right = one.onReference();
                List<float[]> given = one.onDevice(multiprocessors, steps, 0, rows);
                for (int i = 0; i < right.size(); i++) {
                    double[] expected = right.get(i);
                    float[] actual = given.get(i);
                    for (int k = 0; k < expected.length; k++) {
                        double allowed = TOLERANCE * (1 + Math.abs(expected[k]));
                        assertEquals(expected[k], actual[k], allowed, one + ", tensor " + i + ", element " + k);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "block, 40, 1",
        "block, 64, 1",
        "block, 100, 1",
        "block, 128, 1",
        "block, 160, 1",
        "block, 192, 1",
        "cluster, 230, 1",
        "cluster, 256, 1",
        "cluster, 384, 1",
        "cluster, 400, 1",
        "cluster, 512, 1",
        "grid, 256, 4",
        "grid, 500, 8",
        "grid, 768, 24",
        "grid, 1000, 32",
        "grid, 1030, 128"
    })
    void aRowsBitsAreItsOwn(String plan, int hidden, int multiprocessors) {
        assumeClusters(plan);
        int rows = 11;
        int steps = 4;
        Case one = new Case(plan, steps, rows, hidden, Activation.TANH, false, true, true);
        List<float[]> all = one.onDevice(multiprocessors, steps, 0, rows);
        for (int row : new int[] {0, 5, rows - 1}) {
            List<float[]> alone = one.onDevice(1000, steps, row, 1);
            for (int i = 0; i < alone.size(); i++) {
                for (int slot = 0; slot <= steps; slot++) {
                    int from = (slot * rows + row) * hidden;
                    assertArrayEquals(
                            Arrays.copyOfRange(alone.get(i), slot * hidden, (slot + 1) * hidden),
                            Arrays.copyOfRange(all.get(i), from, from + hidden),
                            "row " + row + ", tensor " + i + ", slot " + slot);
                }
            }
        }
    }

    private void assumeClusters(String plan) {
        String refusal = cuda.planner().named("cluster").refusal(new Operands.Rnn(1, 1, 1, 256), false);
        Required.that(refusal == null || !plan.equals("cluster"), "cluster", "sequences in plan cluster", refusal);
    }

    @ParameterizedTest
    @CsvSource({
        "block, 50, false",
        "block, 50, true",
        "cluster, 220, false",
        "cluster, 220, true",
        "grid, 220, false",
        "grid, 220, true"
    })
    void stepsOneByOneGiveTheBitsOfTheWhole(String plan, int hidden, boolean reverse) {
        assumeClusters(plan);
        for (int multiprocessors : new int[] {4, 1000}) {
            Case one = new Case(plan, 6, 5, hidden, Activation.TANH, reverse, true, true);
            if (multiprocessors == 4) one.dropout = new Dropout(.4, 7, 0, true);
            List<float[]> whole = one.onDevice(multiprocessors, 6, 0, 5);
            List<float[]> stepped = one.onDevice(multiprocessors, 1, 0, 5);
            for (int i = 0; i < whole.size(); i++) assertArrayEquals(whole.get(i), stepped.get(i));
        }
    }

    @Test
    void oneLaunchBesidesTheProducts() {
        Case one = new Case("block", 9, 3, 20, Activation.TANH, false, false, true);
        long launches = cuda.context().counters().launches;
        one.onDevice(4, 9, 0, 3);
        // Forward and back, and one product, which is a kernel of ours here.
        assertEquals(launches + 3, cuda.context().counters().launches);
    }

    /** The numbers of one pass, the same for each that runs it. */
    private final class Case {
        private final String plan;
        /** Of the states that Wh sees; null for none. */
        private Dropout dropout;

        private final int steps;
        private final int rows;
        private final int hidden;
        private final Activation activation;
        private final boolean reverse;
        private final boolean biased;
        private final float[] wx;
        private final float[] wh;
        private final float[] b;
        private final float[] x;
        private final float[] states;
        private final float[] gradients;
        private final int[] mask;

        Case(
                String plan,
                int steps,
                int rows,
                int hidden,
                Activation activation,
                boolean reverse,
                boolean masked,
                boolean biased) {
            this.plan = plan;
            this.steps = steps;
            this.rows = rows;
            this.hidden = hidden;
            this.activation = activation;
            this.reverse = reverse;
            this.biased = biased;
            Random random = new Random(3);
            wx = numbers(random, 2 * hidden, 0.5);
            wh = numbers(random, hidden * hidden, 0.7 / Math.sqrt(hidden));
            b = numbers(random, hidden, 0.3);
            x = numbers(random, steps * rows * 2, 1);
            states = numbers(random, (steps + 1) * rows * hidden, 0.5);
            gradients = numbers(random, (steps + 1) * rows * hidden, 0.5);
            mask = masked ? random.ints((long) steps * rows, 0, 3).toArray() : null;
            // One row ends early, and where there are many the first eight do.
            for (int i = 0; masked && i < steps * rows; i++)
                if (i % rows < Math.max(1, rows - 3) && i / rows > 1) mask[i] = 0;
        }

        List<double[]> onReference() {
            try (Run run = new Run(reference, 0, rows)) {
                reference.simpleRnnForward(run.weights, run.pass, run.x, run.states);
                reference.simpleRnnBackward(run.weights, run.pass, run.x, run.states, run.gradients, null, run.sums);
                return List.of(run.states.toDoubles(), run.gradients.toDoubles());
            }
        }

        /** The rows from {@code from} on, {@code together} steps a call. */
        List<float[]> onDevice(int multiprocessors, int together, int from, int count) {
            OwnBlas blas = new OwnBlas(cuda.context(), cuda.kernels(), multiprocessors);
            RecurrentDropout recurrentDropout = new RecurrentDropout(cuda.context(), cuda.kernels());
            SequencePlan walk = plan(new InputProjection(blas, false), multiprocessors);
            try (Run run = new Run(cuda, from, count)) {
                for (int done = 0; done < steps; done += together) {
                    walk.forward(recurrentDropout.factored(
                            part(run, reverse ? steps - done - together : done, together, count), dropout));
                }
                for (int done = 0; done < steps; done += together) {
                    walk.backward(recurrentDropout.factored(
                            part(run, reverse ? done : steps - done - together, together, count), dropout));
                }
                return List.of(run.states.toFloats(), run.gradients.toFloats());
            }
        }

        /** Many steps go round it more than once. */
        private Ring ring() {
            return steps > 9 ? new Ring(cuda.context(), 0) : new Ring(cuda.context());
        }

        private SequencePlan plan(InputProjection projection, int multiprocessors) {
            return switch (plan) {
                case "block" -> SequencePlan.block(cuda.kernels(), projection, multiprocessors);
                case "cluster" -> SequencePlan.cluster(cuda.kernels(), projection, multiprocessors, null);
                default -> SequencePlan.grid(cuda.kernels(), projection, multiprocessors, null, ring());
            };
        }

        private Recurrence part(Run run, int first, int together, int count) {
            long slot = 4L * first * count * hidden;
            long mask = run.pass.mask() == null ? 0 : address(run.pass.mask()) + 4L * first * count;
            return new Recurrence(
                    new Operands.Rnn(count, together, 2, hidden),
                    activation,
                    reverse,
                    mask,
                    0,
                    address(run.weights.wx()),
                    address(run.weights.wh()),
                    address(run.weights.b()),
                    address(run.x) + 4L * first * count * 2,
                    address(run.states) + slot,
                    address(run.gradients) + slot);
        }

        private long address(Tensor tensor) {
            return CudaTensor.address(cuda.context(), tensor);
        }

        private long address(IntTensor tensor) {
            return CudaIntTensor.address(cuda.context(), tensor);
        }

        @Override
        public String toString() {
            return plan + ", T = " + steps + ", N = " + rows + ", H = " + hidden + ", " + activation
                    + (reverse ? ", reverse" : "") + (mask == null ? "" : ", masked")
                    + (biased ? "" : ", without bias") + (dropout == null ? "" : ", with recurrent dropout");
        }

        /** The tensors of some rows on one backend. */
        private final class Run implements AutoCloseable {
            private final Backend backend;
            private final List<Tensor> tensors = new ArrayList<>();
            private final SimpleRnnWeights weights;
            private final SimpleRnnWeights sums;
            private final SimpleRnnPass pass;
            private final Tensor x;
            private final Tensor states;
            private final Tensor gradients;

            Run(Backend backend, int from, int count) {
                this.backend = backend;
                weights = new SimpleRnnWeights(
                        tensor(wx, 2, hidden), tensor(wh, hidden, hidden), biased ? tensor(b, hidden) : null);
                sums = new SimpleRnnWeights(
                        tensor(wx, 2, hidden), tensor(wh, hidden, hidden), biased ? tensor(b, hidden) : null);
                IntTensor live = null;
                if (mask != null) {
                    live = backend.allocateInts(Shape.of(steps, count));
                    int[] some = new int[steps * count];
                    for (int i = 0; i < some.length; i++) some[i] = mask[i / count * rows + from + i % count];
                    live.set(some);
                }
                pass = new SimpleRnnPass(activation, reverse, live, dropout);
                x = tensor(rowsOf(Case.this.x, 2, from, count), steps, count, 2);
                states = tensor(rowsOf(Case.this.states, hidden, from, count), steps + 1, count, hidden);
                gradients = tensor(rowsOf(Case.this.gradients, hidden, from, count), steps + 1, count, hidden);
            }

            private float[] rowsOf(float[] all, int columns, int from, int count) {
                int slots = all.length / rows / columns;
                float[] some = new float[slots * count * columns];
                for (int slot = 0; slot < slots; slot++) {
                    int at = (slot * rows + from) * columns;
                    System.arraycopy(all, at, some, slot * count * columns, count * columns);
                }
                return some;
            }

            private Tensor tensor(float[] values, int... extents) {
                Tensor tensor = backend.allocate(Shape.of(extents));
                tensor.set(values);
                tensors.add(tensor);
                return tensor;
            }

            @Override
            public void close() {
                tensors.forEach(Tensor::close);
                if (pass.mask() != null) pass.mask().close();
            }
        }
    }

    private static float[] numbers(Random random, int size, double scale) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = (float) (random.nextGaussian() * scale);
        return values;
    }
}
