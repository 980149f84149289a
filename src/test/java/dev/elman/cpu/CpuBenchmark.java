package dev.elman.cpu;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What the recurrence is made of, in microseconds; {@code ci/bench.sh} runs it. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class CpuBenchmark {
    private static Tensor noise(Backend backend, int... extents) {
        Random random = new Random(1);
        Tensor tensor = backend.allocate(Shape.of(extents));
        tensor.set(random.doubles(tensor.shape().size(), -0.1, 0.1).toArray());
        return tensor;
    }

    /** A layer's call on {@code threads} threads. */
    @State(Scope.Benchmark)
    public static class Layer {
        @Param({"1x128x64x64", "32x64x64x128", "64x128x256x512"})
        String shape;

        @Param({"1", "2"})
        int threads;

        private Backend backend;
        private SimpleRnnForward forward;
        private SimpleRnnBackward backward;

        @Setup
        public void allocate() {
            String[] sizes = shape.split("x", -1);
            int n = Integer.parseInt(sizes[0]);
            int t = Integer.parseInt(sizes[1]);
            int d = Integer.parseInt(sizes[2]);
            int width = Integer.parseInt(sizes[3]);
            backend = new CpuBackend(Gemms.open(), threads);
            forward = new SimpleRnnForward(
                    parameters(d, width),
                    new SimpleRnnPass(Activation.TANH, false, null),
                    noise(backend, t, n, d),
                    noise(backend, t + 1, n, width));
            backward = new SimpleRnnBackward(
                    forward, noise(backend, t + 1, n, width), noise(backend, t, n, d), parameters(d, width));
        }

        private SimpleRnnWeights parameters(int d, int width) {
            return new SimpleRnnWeights(noise(backend, d, width), noise(backend, width, width), noise(backend, width));
        }

        /** One element of each: as in training, all that is laid out of them is void then. */
        private void changeWeights() {
            forward.weights().wx().view(0, Shape.of(1)).set(0.01f);
            forward.weights().wh().view(0, Shape.of(1)).set(0.01f);
        }

        @TearDown
        public void close() {
            for (SimpleRnnWeights some : new SimpleRnnWeights[] {forward.weights(), backward.gradients()}) {
                some.wx().close();
                some.wh().close();
                some.b().close();
            }
            for (Tensor tensor : new Tensor[] {forward.x(), forward.h(), backward.dh(), backward.dx()}) tensor.close();
            backend.close();
        }
    }

    /** One step's product [rows,256] x [256,256], by each of the products there are. */
    @State(Scope.Benchmark)
    public static class Product {
        private static final int SIZE = 256;

        @Param({"panels", "large", "java"})
        String by;

        @Param({"1", "16", "60"})
        int rows;

        private final Allocations allocations = new Allocations(new Object());
        private Gemm gemm;
        private Gemm.Factor right;
        private Matrix left;
        private Matrix result;

        @Setup
        public void allocate() {
            OpenBlas.load();
            gemm = switch (by) {
                case "panels" -> new PanelGemm();
                case "large" -> new OpenBlasGemm();
                default -> new JavaGemm("of the benchmark");
            };
            right = gemm.right(matrix(SIZE), false, SIZE);
            left = matrix(rows);
            result = matrix(rows);
        }

        private Matrix matrix(int height) {
            Memory memory = allocations.allocate(Shape.of(height, SIZE));
            for (int i = 0; i < height * SIZE; i++) memory.floats().put(i, 0.001f * (i % 100));
            return new Matrix(memory, 0, height, SIZE, SIZE, false);
        }

        @TearDown
        public void close() {
            right.close();
            gemm.close();
            allocations.close();
        }
    }

    /** Elements in place. */
    @State(Scope.Benchmark)
    public static class Values {
        @Param({"64", "256", "2048"})
        int count;

        private final FloatBuffer block = new Scratch().block();
        private final Allocations allocations = new Allocations(new Object());
        private CpuTensor tensor;

        @Setup
        public void allocate() {
            tensor = new CpuTensor(allocations.allocate(Shape.of(count)), Shape.of(count));
        }

        @TearDown
        public void close() {
            allocations.close();
        }
    }

    @Benchmark
    public void forward(Layer layer) {
        layer.backend.simpleRnnForward(layer.forward);
    }

    @Benchmark
    public void backward(Layer layer) {
        layer.changeWeights();
        layer.backend.fill(layer.backward.dh(), 0.01);
        layer.backend.simpleRnnBackward(layer.backward);
    }

    @Benchmark
    public void product(Product product) {
        product.right.multiply(product.left, 0, product.result, 0, product.rows, false);
    }

    @Benchmark
    public void tanh(Values values) {
        Tanh.apply(values.tensor.floats(), 0, values.count, values.block);
    }
}
