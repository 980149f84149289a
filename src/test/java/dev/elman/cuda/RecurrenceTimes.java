package dev.elman.cuda;

import dev.elman.backend.Activation;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.cuda.SequenceSize.Family;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/**
 * What the recurrence alone takes on this machine's GPU, by each plan that walks a whole sequence in one launch, beside what the planner
 * expects: the measurements from which the constants of {@link SequenceSize} come. Prints a table in Markdown, in
 * microseconds a step, for one direction of a layer and for both in one call; with {@code --small} little work, where there is only
 * software, with {@code --plans}, {@code --h} and {@code --n}, each with a list, only these. Before a time is taken the last states
 * and the gradients of the first ones must be those of the plan {@code steps}; exits with 1 where they are not.
 */
final class RecurrenceTimes implements AutoCloseable {
    private static final Map<String, Family> PLANS = Map.of(
            "block", Family.BLOCK,
            "cluster", Family.CLUSTER,
            "grid", Family.GRID,
            "tensor", Family.TENSOR,
            "tensor in TF32", Family.TENSOR_TF32,
            "tensor-block", Family.TENSOR_BLOCK,
            "tensor-block in TF32", Family.TENSOR_BLOCK_TF32,
            "tensor-cluster in TF32", Family.TENSOR_CLUSTER_TF32);
    private static final List<String> OPTIONS = List.of("--small", "--plans", "--h", "--n");
    private static final int SAMPLES = 5;
    /** More than a block projects itself. No projection is made. */
    private static final int INPUTS = 9;

    private final int steps;
    private final CudaBackend cuda = CudaBackend.open(Settings.of("gemm=own"));
    private final CudaContext context = cuda.context();
    private final TransposedWeights never = new TransposedWeights(context, cuda.kernels(), false);
    private final InputProjection none = noProjection();
    private final Ring ring = new Ring(context);
    private final RowOrder order = new RowOrder(context, cuda.kernels());
    private final Device device = Device.of(context.calls(), context.device());
    private final CUevent before = event();
    private final CUevent after = event();

    private RecurrenceTimes(int steps) {
        this.steps = steps;
    }

    public static void main(String[] args) {
        List<String> given = List.of(args);
        for (String each : given) {
            if (each.startsWith("--") && !OPTIONS.contains(each)) {
                throw new IllegalArgumentException("no option " + each + "; there are " + OPTIONS);
            }
        }
        boolean small = given.contains("--small");
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Set<String> plans = list(given, "--plans", String.join(",", PLANS.keySet()));
        Set<String> rows = list(given, "--n", small ? "1,9" : "1,8,32,64,128,512");
        Set<String> hidden = list(given, "--h", small ? "64,256" : "64,128,192,256,384,512,768,1024,2048");
        if (!PLANS.keySet().containsAll(plans)) {
            throw new IllegalArgumentException("--plans are some of " + PLANS.keySet() + ", not " + plans);
        }
        boolean right;
        try (RecurrenceTimes times = new RecurrenceTimes(small ? RowOrder.FEWEST_STEPS : 512)) {
            right = times.print(out, plans, rows, hidden);
        }
        System.exit(right ? 0 : 1);
    }

    private static Set<String> list(List<String> given, String name, String otherwise) {
        int at = given.indexOf(name);
        if (at == given.size() - 1 && at >= 0) throw new IllegalArgumentException(name + " takes a list");
        return new LinkedHashSet<>(List.of((at < 0 ? otherwise : given.get(at + 1)).split(",")));
    }

    /** The table; whether all numbers were right. */
    private boolean print(PrintStream out, Set<String> plans, Set<String> rows, Set<String> hidden) {
        warmUp();
        out.println(
                "| plan | H | N | rows in a pass, passes, groups | forward | expected | back | forward, rows of 1 to T steps | back"
                        + " | forward, both directions | expected | back |");
        out.println("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        boolean right = true;
        for (String name : plans.stream().sorted().toList()) {
            for (SequenceSize size : SequenceSize.ALL) {
                if (size.family() != PLANS.get(name) || !hidden.contains(String.valueOf(size.hidden()))) continue;
                for (String n : rows) {
                    Operands.Rnn sizes = new Operands.Rnn(Integer.parseInt(n), steps, INPUTS, size.hidden());
                    if (plan(name).refusal(sizes, true, false) != null) continue;
                    double apart = error(name, sizes);
                    double allowed = name.endsWith("TF32") ? 2e-2 : 1e-4;
                    if (apart <= allowed) {
                        out.println(line(name, size, sizes));
                    } else {
                        right = false;
                        out.println("| " + name + " | " + size.hidden() + " | " + n + " | WRONG by " + apart
                                + " | | | | | | | | |");
                    }
                }
            }
        }
        return right;
    }

    /** A GPU that was idle takes a while to run at its highest clock. */
    private void warmUp() {
        try (Tensor tensor = cuda.allocate(Shape.of(1 << (steps < 512 ? 10 : 28)))) {
            for (int i = 0; i < 512; i++) cuda.fill(tensor, i);
            context.synchronize();
        }
    }

    private SequencePlan plan(String name) {
        Family family = PLANS.get(name);
        return new SequencePlan(family, device, family.rounds(), cuda.kernels(), none, ring, order);
    }

    private String line(String name, SequenceSize size, Operands.Rnn sizes) {
        SequenceSize.Share share = size.share(sizes.n(), 1, device.multiprocessors(), false, false);
        SequencePlan plan = plan(name);
        String unequal = sizes.n() > 1 ? micros("%1$.3f | %3$.3f", plan, sizes, mask(sizes), 1) : "- | -";
        return String.format(
                Locale.ROOT,
                "| %s | %d | %d | %d, %d, %d | %s | %s | %s |",
                name,
                sizes.h(),
                sizes.n(),
                share.together(),
                share.passes(),
                share.groups(),
                micros("%.3f | %.3f | %.3f", plan, sizes, null, 1),
                unequal,
                micros("%.3f | %.3f | %.3f", plan, sizes, null, 2));
    }

    /** Forward, what is expected of that, and back. */
    private String micros(String format, SequencePlan plan, Operands.Rnn sizes, int[] mask, int directions) {
        try (Pass pass = new Pass(sizes, mask, directions)) {
            double[] micros = pass.micros(plan);
            double expected = plan.expectedMicros(sizes, directions, false, false);
            return String.format(Locale.ROOT, format, micros[0], expected, micros[1]);
        }
    }

    /** As many rows of each length, in no order. */
    private static int[] mask(Operands.Rnn sizes) {
        int n = sizes.n();
        List<Integer> lengths = new ArrayList<>(IntStream.range(0, n)
                .map(i -> 1 + (int) ((long) i * sizes.t() / n))
                .boxed()
                .toList());
        Collections.shuffle(lengths, new Random(1));
        return IntStream.range(0, sizes.t() * n)
                .map(i -> i / n < lengths.get(i % n) ? 1 : 0)
                .toArray();
    }

    /** The largest difference from the plan {@code steps}, over as many steps as rows are put in order for. */
    private double error(String name, Operands.Rnn whole) {
        Operands.Rnn sizes = new Operands.Rnn(whole.n(), Math.min(whole.t(), RowOrder.FEWEST_STEPS), INPUTS, whole.h());
        RecurrencePlan stepByStep = new StepsPlan(
                cuda.kernels(),
                new OwnBlas(context, cuda.kernels(), device.multiprocessors()),
                none,
                new Elementwise(context, cuda.kernels()),
                never);
        double worst = 0;
        for (int directions = 1; directions <= 2; directions++) {
            for (int[] mask : new int[][] {null, mask(sizes)}) {
                List<float[]> right = results(stepByStep, sizes, mask, directions);
                List<float[]> given = results(plan(name), sizes, mask, directions);
                for (int i = 0; i < right.size(); i++) worst = larger(worst, apart(right.get(i), given.get(i)));
            }
        }
        return worst;
    }

    private static double apart(float[] right, float[] given) {
        double worst = 0;
        for (int i = 0; i < right.length; i++) worst = larger(worst, Math.abs(right[i] - given[i]));
        return worst;
    }

    /** Where NaN is the largest. */
    private static double larger(double one, double other) {
        return other <= one ? one : other;
    }

    private List<float[]> results(RecurrencePlan plan, Operands.Rnn sizes, int[] mask, int directions) {
        try (Pass pass = new Pass(sizes, mask, directions)) {
            return pass.results(plan);
        }
    }

    private InputProjection noProjection() {
        Blas blas = new NoProducts(context);
        return new InputProjection(blas, new LiveRows(context, cuda.kernels(), blas, false), false, never);
    }

    private CUevent event() {
        CUevent event = new CUevent();
        context.calls().driver("cuEventCreate", () -> JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DEFAULT));
        return event;
    }

    @Override
    public void close() {
        CudaCalls.driverStatus(() -> JCudaDriver.cuEventDestroy(before));
        CudaCalls.driverStatus(() -> JCudaDriver.cuEventDestroy(after));
        cuda.close();
    }

    /** One or both directions of some sizes with their memory. */
    private final class Pass implements AutoCloseable {
        private final List<Tensor> weights = new ArrayList<>();
        private final List<Tensor> states = new ArrayList<>();
        private final List<Tensor> gradients = new ArrayList<>();
        private final IntTensor mask;
        private final Operands.Rnn sizes;
        private final List<Recurrence> directions = new ArrayList<>();

        Pass(Operands.Rnn sizes, int[] live, int count) {
            this.sizes = sizes;
            mask = live == null ? null : cuda.allocateInts(Shape.of(sizes.t(), sizes.n()));
            if (live != null) mask.set(live);
            for (int i = 0; i < count; i++) directions.add(direction(i == 1));
        }

        private Recurrence direction(boolean reverse) {
            int h = sizes.h();
            Random random = new Random(reverse ? 8 : 7);
            float[] numbers = new float[h * h];
            for (int i = 0; i < numbers.length; i++) numbers[i] = (float) (random.nextGaussian() * 0.7 / Math.sqrt(h));
            Tensor wh = allocate(weights, h, h);
            wh.set(numbers);
            Tensor b = allocate(weights, h);
            b.set(Arrays.copyOf(numbers, h));
            Tensor ofStates = allocate(states, sizes.t() + 1, sizes.n(), h);
            Tensor ofGradients = allocate(gradients, sizes.t() + 1, sizes.n(), h);
            return new Recurrence(
                    sizes,
                    Activation.TANH,
                    reverse,
                    mask == null ? 0 : DeviceArray.address(context, mask),
                    0,
                    0,
                    DeviceArray.address(context, wh),
                    0,
                    DeviceArray.address(context, b),
                    0,
                    DeviceArray.address(context, ofStates),
                    DeviceArray.address(context, ofGradients));
        }

        private Tensor allocate(List<Tensor> tensors, int... extents) {
            Tensor tensor = cuda.allocate(Shape.of(extents));
            tensors.add(tensor);
            return tensor;
        }

        private void fill() {
            for (Tensor tensor : states) cuda.fill(tensor, 0.3f);
            for (Tensor tensor : gradients) cuda.fill(tensor, 0.01f);
        }

        /** Of each direction the last state and the gradient of the first one. */
        List<float[]> results(RecurrencePlan plan) {
            fill();
            plan.forward(directions);
            plan.backward(directions);
            List<float[]> results = new ArrayList<>();
            for (int i = 0; i < directions.size(); i++) {
                int last = directions.get(i).reverse() ? 0 : sizes.t();
                results.add(states.get(i).slice(last, 1).toFloats());
                results.add(gradients.get(i).slice(sizes.t() - last, 1).toFloats());
            }
            return results;
        }

        /** Microseconds of a step forward and back, the medians of some passes. */
        double[] micros(RecurrencePlan plan) {
            double[] forward = new double[SAMPLES];
            double[] back = new double[SAMPLES];
            for (int i = -1; i < SAMPLES; i++) { // what is new is compiled in the first one
                fill();
                double there = micros(() -> plan.forward(directions));
                double andBack = micros(() -> plan.backward(directions));
                if (i < 0) continue;
                forward[i] = there / sizes.t();
                back[i] = andBack / sizes.t();
            }
            Arrays.sort(forward);
            Arrays.sort(back);
            return new double[] {forward[SAMPLES / 2], back[SAMPLES / 2]};
        }

        private double micros(Runnable work) {
            CudaCalls calls = context.calls();
            calls.driver("cuEventRecord", () -> JCudaDriver.cuEventRecord(before, context.stream()));
            work.run();
            calls.driver("cuEventRecord", () -> JCudaDriver.cuEventRecord(after, context.stream()));
            calls.driver("cuEventSynchronize", () -> JCudaDriver.cuEventSynchronize(after));
            float[] millis = {0};
            calls.driver("cuEventElapsedTime", () -> JCudaDriver.cuEventElapsedTime(millis, before, after));
            return 1e3 * millis[0];
        }

        @Override
        public void close() {
            for (List<Tensor> tensors : List.of(weights, states, gradients)) tensors.forEach(Tensor::close);
            if (mask != null) mask.close();
        }
    }

    /** What stands in the states' slots stays there as the projections. */
    private static final class NoProducts extends Blas {
        NoProducts(CudaContext context) {
            super(context);
        }

        @Override
        void product(Form form, boolean add, long a, long b, long c, long m, long n, long k) {}

        @Override
        String description() {
            return "none";
        }

        @Override
        double unitRoundoff() {
            return 0;
        }

        @Override
        double operationsPerMicro() {
            return 1e9; // so no product is worth counting the live rows for
        }

        @Override
        boolean sameBitsByRow() {
            return true;
        }
    }
}
