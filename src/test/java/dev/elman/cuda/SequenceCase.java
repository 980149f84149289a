package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.cuda.SequenceSize.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** The numbers of one pass, the same for each that runs it. */
final class SequenceCase {
    private static final double TOLERANCE = 2e-5;
    private static final double TF32_TOLERANCE = 4e-3;

    /** Of the states that Wh sees; null for none. */
    private Dropout dropout;
    /** Through which blocks exchange states; null for one of its own. */
    private Ring ring;

    /** [T,N,D]; a test may plant other numbers. */
    final float[] x;
    /** [T,N], null for none. */
    final int[] mask;
    /** [H,H]. */
    final float[] wh;
    /** [T+1,N,H]; of these the initial slot is read. */
    final float[] states;

    private final CudaBackend cuda;
    private final String plan;
    private final int steps;
    private final int rows;
    private final int inputs;
    private final int hidden;
    private final Activation activation;
    private final boolean reverse;
    private final boolean biased;
    private final float[] wx;
    private final float[] b;
    private final float[] gradients;

    SequenceCase(
            CudaBackend cuda,
            String plan,
            int steps,
            int rows,
            int inputs,
            int hidden,
            Activation activation,
            boolean reverse,
            boolean masked,
            boolean biased) {
        this.cuda = cuda;
        this.plan = plan;
        this.steps = steps;
        this.rows = rows;
        this.inputs = inputs;
        this.hidden = hidden;
        this.activation = activation;
        this.reverse = reverse;
        this.biased = biased;
        Random random = new Random(reverse ? 4 : 3);
        wx = numbers(random, inputs * hidden, 0.5);
        wh = numbers(random, hidden * hidden, 0.7 / Math.sqrt(hidden));
        b = numbers(random, hidden, 0.3);
        x = numbers(random, steps * rows * inputs, 1);
        states = numbers(random, (steps + 1) * rows * hidden, 0.5);
        gradients = numbers(random, (steps + 1) * rows * hidden, 0.5);
        mask = masked ? new Random(5).ints((long) steps * rows, 0, 3).toArray() : null;
        // One row ends early, and where there are many the first eight do.
        for (int i = 0; masked && i < steps * rows; i++)
            if (i % rows < Math.max(1, rows - 3) && i / rows > 1) mask[i] = 0;
    }

    /** Skips the test where this device has no such plan for so many nodes. */
    static void assumePlan(CudaBackend cuda, String plan, int hidden) {
        // What a cluster needs is the same in TF32, and one block of threads has room for all its sizes.
        String name = plan.equals("tensor-cluster in TF32") ? "cluster" : plan.replace(" in TF32", "");
        Operands.Rnn one = new Operands.Rnn(1, 1, 1, name.endsWith("block") ? 1 : hidden);
        String refusal = cuda.planner().named(name).refusal(one, false, false);
        Required.that(refusal == null, name, "sequences in plan " + plan, refusal);
    }

    List<double[]> onReference(Backend reference) {
        try (Run run = new Run(reference, 0, rows)) {
            SimpleRnnForward forward = new SimpleRnnForward(run.weights, run.pass, run.x, run.states);
            reference.simpleRnnForward(forward);
            reference.simpleRnnBackward(new SimpleRnnBackward(forward, run.gradients, null, run.sums));
            return List.of(run.states.toDoubles(), run.gradients.toDoubles());
        }
    }

    /** The rows from {@code from} on, {@code together} steps a call. */
    List<float[]> onDevice(int multiprocessors, int together, int from, int count) {
        return onDevice(multiprocessors, together, from, count, true);
    }

    /** All rows at once, and not the way back. */
    void forwardOnDevice(int multiprocessors) {
        onDevice(multiprocessors, steps, 0, rows, false);
    }

    private List<float[]> onDevice(int multiprocessors, int together, int from, int count, boolean back) {
        RecurrentDropout recurrentDropout = new RecurrentDropout(cuda.context(), cuda.kernels());
        SequencePlan walk = projecting(multiprocessors);
        try (Run run = new Run(cuda, from, count)) {
            for (int done = 0; done < steps; done += together) {
                walk.forward(List.of(recurrentDropout.factored(
                        0, part(run, reverse ? steps - done - together : done, together, count), dropout)));
            }
            for (int done = 0; back && done < steps; done += together) {
                walk.backward(List.of(recurrentDropout.factored(
                        0, part(run, reverse ? done : steps - done - together, together, count), dropout)));
            }
            return List.of(run.states.toFloats(), run.gradients.toFloats());
        }
    }

    /** This case and one that fits it but runs the other way, as the directions of a layer. */
    List<List<float[]>> onDeviceWith(SequenceCase other, int multiprocessors) {
        RecurrentDropout recurrentDropout = new RecurrentDropout(cuda.context(), cuda.kernels());
        SequencePlan walk = projecting(multiprocessors);
        try (Run first = new Run(cuda, 0, rows);
                Run second = other.new Run(cuda, 0, rows)) {
            List<Recurrence> directions = List.of(
                    recurrentDropout.factored(0, part(first, 0, steps, rows), dropout),
                    recurrentDropout.factored(1, other.part(second, 0, steps, rows), other.dropout));
            walk.forward(directions);
            walk.backward(directions);
            return List.of(
                    List.of(first.states.toFloats(), first.gradients.toFloats()),
                    List.of(second.states.toFloats(), second.gradients.toFloats()));
        }
    }

    private SequencePlan projecting(int multiprocessors) {
        OwnBlas blas = new OwnBlas(cuda.context(), cuda.kernels(), multiprocessors);
        LiveRows live = new LiveRows(cuda.context(), cuda.kernels(), blas, false);
        TransposedWeights never = new TransposedWeights(cuda.context(), cuda.kernels(), false);
        return plan(new InputProjection(blas, live, false, never), multiprocessors);
    }

    /** What the device gave is what the reference gives, up to rounding. */
    void assertAsOn(Backend reference, List<float[]> given) {
        List<double[]> right = onReference(reference);
        double tolerance = tf32() ? TF32_TOLERANCE : TOLERANCE;
        for (int i = 0; i < right.size(); i++) {
            double[] expected = right.get(i);
            float[] actual = given.get(i);
            String where = this + ", tensor " + i + ", element ";
            for (int k = 0; k < expected.length; k++) {
                double allowed = tolerance * (Double.isFinite(expected[k]) ? 1 + Math.abs(expected[k]) : 1);
                int element = k;
                assertEquals(expected[k], actual[k], allowed, () -> where + element);
            }
        }
    }

    /** Drops states of the recurrence if the plan has room for these rows then. */
    void drop(int multiprocessors) {
        Operands.Rnn sizes = new Operands.Rnn(rows, steps, inputs, hidden);
        if (plan(null, multiprocessors).refusal(sizes, false, true) == null)
            dropout = new Dropout(.4, reverse ? 8 : 7, 0, true);
    }

    /** Exchanges states through this ring. */
    void through(Ring given) {
        ring = given;
    }

    /** Many steps go round it more than once. */
    private Ring ring() {
        if (ring != null) return ring;
        return steps > 9 ? new Ring(cuda.context(), 0) : new Ring(cuda.context());
    }

    private SequencePlan plan(InputProjection projection, int multiprocessors) {
        Family family = Stream.of(Family.values())
                .filter(one -> one.plan().equals(plan.replace(" in TF32", "")) && one.rounds() == tf32())
                .findFirst()
                .orElseThrow();
        return new SequencePlan(
                family,
                new Device(90, 12010, multiprocessors, true),
                tf32(),
                cuda.kernels(),
                projection,
                ring(),
                new RowOrder(cuda.context(), cuda.kernels()));
    }

    boolean tf32() {
        return plan.endsWith(" in TF32");
    }

    private Recurrence part(Run run, int first, int together, int count) {
        long slot = 4L * first * count * hidden;
        long mask = run.pass.mask() == null ? 0 : address(run.pass.mask()) + 4L * first * count;
        return new Recurrence(
                new Operands.Rnn(count, together, inputs, hidden),
                activation,
                reverse,
                mask,
                0,
                address(run.weights.wx()),
                address(run.weights.wh()),
                0,
                address(run.weights.b()),
                address(run.x) + 4L * first * count * inputs,
                address(run.states) + slot,
                address(run.gradients) + slot);
    }

    private long address(Tensor tensor) {
        return DeviceArray.address(cuda.context(), tensor);
    }

    private long address(IntTensor tensor) {
        return DeviceArray.address(cuda.context(), tensor);
    }

    @Override
    public String toString() {
        return plan + ", T = " + steps + ", N = " + rows + ", D = " + inputs + ", H = " + hidden + ", " + activation
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
                    tensor(wx, inputs, hidden), tensor(wh, hidden, hidden), biased ? tensor(b, hidden) : null);
            sums = new SimpleRnnWeights(
                    tensor(wx, inputs, hidden), tensor(wh, hidden, hidden), biased ? tensor(b, hidden) : null);
            IntTensor live = null;
            if (mask != null) {
                live = backend.allocateInts(Shape.of(steps, count));
                int[] some = new int[steps * count];
                for (int i = 0; i < some.length; i++) some[i] = mask[i / count * rows + from + i % count];
                live.set(some);
            }
            pass = new SimpleRnnPass(activation, reverse, live, dropout);
            x = tensor(rowsOf(SequenceCase.this.x, inputs, from, count), steps, count, inputs);
            states = tensor(rowsOf(SequenceCase.this.states, hidden, from, count), steps + 1, count, hidden);
            gradients = tensor(rowsOf(SequenceCase.this.gradients, hidden, from, count), steps + 1, count, hidden);
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

    private static float[] numbers(Random random, int size, double scale) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = (float) (random.nextGaussian() * scale);
        return values;
    }
}
