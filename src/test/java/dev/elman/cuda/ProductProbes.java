package dev.elman.cuda;

import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.cuda.Blas.Form;
import dev.elman.cuda.Probe.Finding;
import dev.elman.cuda.Probe.Scale;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * The products of a layer of D = H nodes over T N rows, in strict float32 by cuBLAS and by the kernels of our own, in three of TF32
 * parts and in TF32: what they take, and how far from the sum in double they are.
 */
final class ProductProbes {
    private static final int SAMPLES = 5;
    private static final int COMPARED = 256;

    private ProductProbes() {}

    static List<Probe> all() {
        List<Probe> all = new ArrayList<>();
        for (Form form : Form.values()) {
            all.add(new Probe(
                    "products " + form, (device, scale) -> products(form, Probes.multiprocessors(device), scale)));
        }
        return all;
    }

    private static List<Finding> products(Form form, int multiprocessors, Scale scale) {
        boolean small = scale.equals(Scale.SMALL);
        int rows = small ? 96 : 1 << 16;
        List<Finding> findings = new ArrayList<>();
        for (int h : small ? new int[] {12} : new int[] {512, 1024, 2048}) {
            boolean gradient = form == Form.TN;
            findings.addAll(of(new Product(form, gradient ? h : rows, h, gradient ? rows : h), multiprocessors));
        }
        return findings;
    }

    /** One product's sizes. */
    private record Product(Form form, int m, int n, int k) {}

    private static List<Finding> of(Product sizes, int multiprocessors) {
        float[] left = numbers((long) sizes.m * sizes.k, 1);
        float[] right = numbers((long) sizes.k * sizes.n, 2);
        List<Finding> findings = new ArrayList<>();
        CudaSettings settings = Settings.of("gemm=own"); // loads all kernels
        try (CudaBackend backend = CudaBackend.open(settings);
                Tensor a = tensor(backend, left);
                Tensor b = tensor(backend, right);
                Tensor c = backend.allocate(Shape.of(sizes.m, sizes.n))) {
            CudaContext context = backend.context();
            Blas[] makers = {
                new Cublas(context, false),
                new OwnBlas(context, backend.kernels(), multiprocessors),
                new SplitBlas(new Cublas(context, false), backend.kernels(), true),
                new Cublas(context, true)
            };
            String[] names = {"float32", "float32 by our own", "three of TF32 parts", "TF32"};
            double[] expected = {
                SplitBlas.plainMicros(sizes.m, sizes.n, sizes.k),
                1.3 * SplitBlas.plainMicros(sizes.m, sizes.n, sizes.k), // 60 to 75 % of the peak, see kernels/gemm.cu
                SplitBlas.splitMicros(sizes.m, sizes.n, sizes.k),
                Double.NaN
            };
            for (int i = 0; i < makers.length; i++) {
                double micros = micros(context, makers[i], sizes, a, b, c);
                double error = error(sizes, left, right, c);
                Probe.require(
                        error < makers[i].unitRoundoff() * 2 * Math.sqrt(sizes.k), names[i] + " is off by " + error);
                String what = String.format(
                        Locale.ROOT, "%s in %s, error %.1e", sizes.form.of(sizes.m, sizes.n, sizes.k), names[i], error);
                findings.add(new Finding(what, micros, "us", expected[i]));
                makers[i].close();
            }
        }
        return findings;
    }

    private static double micros(CudaContext context, Blas blas, Product sizes, Tensor a, Tensor b, Tensor c) {
        long left = DeviceArray.address(context, a);
        long right = DeviceArray.address(context, b);
        long to = DeviceArray.address(context, c);
        double[] samples = new double[SAMPLES];
        for (int i = -1; i < SAMPLES; i++) {
            context.synchronize();
            long start = System.nanoTime();
            blas.product(sizes.form, false, left, right, to, sizes.m, sizes.n, sizes.k);
            context.synchronize();
            if (i >= 0) samples[i] = (System.nanoTime() - start) / 1e3;
        }
        Arrays.sort(samples);
        return samples[SAMPLES / 2];
    }

    /** The root mean square of some elements' errors beside that of the elements. */
    private static double error(Product sizes, float[] left, float[] right, Tensor c) {
        SplittableRandom random = new SplittableRandom(3);
        double squares = 0;
        double size = 0;
        for (int sample = 0; sample < COMPARED; sample++) {
            int i = random.nextInt(sizes.m);
            int j = random.nextInt(sizes.n);
            double sum = 0;
            for (int l = 0; l < sizes.k; l++) {
                double x = left[sizes.form == Form.TN ? l * sizes.m + i : i * sizes.k + l];
                sum += x * right[sizes.form == Form.NT ? j * sizes.k + l : l * sizes.n + j];
            }
            double off = c.view((long) i * sizes.n + j, Shape.of(1)).toFloats()[0] - sum;
            squares += off * off;
            size += sum * sum;
        }
        return Math.sqrt(squares / size);
    }

    /** Between -1 and 1. */
    private static float[] numbers(long size, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[Math.toIntExact(size)];
        for (int i = 0; i < values.length; i++) values[i] = random.nextInt() * 0x1p-31f;
        return values;
    }

    private static Tensor tensor(CudaBackend backend, float[] values) {
        Tensor tensor = backend.allocate(Shape.of(values.length));
        tensor.set(values);
        return tensor;
    }
}
