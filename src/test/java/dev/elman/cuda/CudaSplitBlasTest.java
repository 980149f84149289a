package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.cuda.Blas.Form;
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
import org.junit.jupiter.params.provider.ValueSource;

/** Products made of three in TF32: float32's error, whatever the tiles, and nothing beside them touched. */
@Tag("cuda")
class CudaSplitBlasTest {
    private static final float SENTINEL = -77;

    private final Random random = new Random(5);
    private CudaBackend cuda;
    private final List<Blas> opened = new ArrayList<>();

    @BeforeEach
    void open() {
        cuda = Required.open("cuda", CudaBackend::open);
    }

    @AfterEach
    void close() {
        if (cuda == null) return;
        opened.forEach(Blas::close);
        assertEquals(0, cuda.liveTensors());
        cuda.close();
    }

    private Blas cublas(boolean tf32) {
        return opened(new Cublas(cuda.context(), tf32));
    }

    private Blas split() {
        return opened(new SplitBlas(new Cublas(cuda.context(), false), cuda.kernels(), true));
    }

    /** Tiles of 8 terms and 8 rows or columns, 3 terms at a stretch. */
    private Blas inTiles() {
        SplitBlas.Tiles tiles = new SplitBlas.Tiles(64, 8, 3);
        return opened(new SplitBlas(new Cublas(cuda.context(), false), cuda.kernels(), true, tiles));
    }

    private Blas opened(Blas blas) {
        opened.add(blas);
        return blas;
    }

    /**
     * Terms of both signs; then of one, where all that a tensor core cuts off adds up. Short sums, long ones, and as long as a
     * gradient's. The error is a quarter of what the contract allows to float32, and does not grow beyond k = 1000.
     */
    @ParameterizedTest
    @CsvSource({"NN, 16", "NT, 1000", "NN, 1000", "TN, 1000", "NN, 20000", "TN, 20000"})
    void theErrorIsFloat32s(Form form, int k) {
        for (boolean positive : new boolean[] {false, true}) {
            Case given = new Case(form, 24, 20, k, positive);
            double single = given.error(cublas(false));
            double split = given.error(split());
            double tf32 = given.error(cublas(true));
            String errors = form + ", k = " + k + (positive ? ", positive" : "") + ": float32 " + single + ", split "
                    + split + ", TF32 " + tf32;
            System.out.println(errors);
            assertTrue(split < 0x1p-23 * Math.sqrt(Math.min(k, 1000)), errors);
            // Roundings of one sign cut off add up in software; an H200's even out: 24 times for the longest sums.
            if (!tf32InSoftware()) assertTrue(tf32 > 10 * split, errors);
        }
    }

    /** Before compute capability 8.0 there is no TF32, and cuBLAS computes in float32. */
    private boolean tf32InSoftware() {
        return "sm_75".equals(System.getenv("SOFTGPU_DEVICE"));
    }

    @ParameterizedTest
    @CsvSource({"8, 8, 8", "1, 1, 1", "17, 5, 3", "5, 17, 3", "3, 5, 30", "20, 24, 28", "19, 21, 23", "9, 9, 9"})
    void tilesOfEverySide(int m, int n, int k) {
        for (Form form : Form.values()) {
            Case given = new Case(form, m, n, k, false);
            for (int offset = 0; offset < 2; offset++) {
                for (boolean add : new boolean[] {false, true}) given.judge(inTiles(), add, offset);
            }
        }
    }

    @Test
    void theSameBitsAndNoMemoryAtTheSecondTime() {
        Blas blas = inTiles();
        Case given = new Case(Form.TN, 20, 24, 50, false);
        float[] first = given.product(blas, false, 0);
        long taken = cuda.context().counters().allocations;
        assertArrayEquals(first, given.product(blas, false, 0));
        assertEquals(taken + 3, cuda.context().counters().allocations, "the three tensors of the case alone");
    }

    /** It counts as the one product that it is, so that what a layer does can be counted. */
    @Test
    void oneProductIsCounted() {
        long before = cuda.context().counters().products;
        new Case(Form.NN, 20, 24, 50, false).product(inTiles(), false, 0);
        assertEquals(before + 1, cuda.context().counters().products);
    }

    @Test
    void whatIsNotFiniteStaysInItsRowAndIsWhatItShouldBe() {
        int k = 9;
        float[] odd = {Float.NaN, Float.intBitsToFloat(0x7f800001), Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0
        };
        for (boolean left : new boolean[] {false, true}) {
            Case given = new Case(left ? Form.NN : Form.NT, odd.length, odd.length, k, true);
            float[] side = left ? given.left : given.right;
            for (int i = 0; i < odd.length; i++) side[i * k + i] = odd[i];
            float[] c = given.product(inTiles(), false, 0);
            for (int i = 0; i < odd.length; i++) {
                for (int j = 0; j < odd.length; j++) {
                    float element = c[left ? i * odd.length + j : j * odd.length + i];
                    if (odd[i] != 0) assertEquals(odd[i], element, left + " " + i + " " + j);
                    else assertTrue(Float.isFinite(element));
                }
            }
        }
    }

    /** The parts of a number: none of these may become infinite or lose more than the last bit of 24. One by one, and four at once. */
    @ParameterizedTest
    @ValueSource(ints = {7, 28})
    void theLargestAndTheSmallestNumbers(int count) {
        float[] odd = {Float.MAX_VALUE, -Float.MAX_VALUE, Float.MIN_NORMAL, 0x1.fffffep-100f, 1 + 0x1p-11f, 3, -0f};
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = odd[i % odd.length];
        try (Tensor x = tensor(values, 0);
                Tensor parts = cuda.allocate(Shape.of(2, count))) {
            cuda.kernels()
                    .get(Kernel.SPLIT_COLUMNS)
                    .pointer(address(x))
                    .count(count)
                    .pointer(address(parts))
                    .pointer(address(parts) + 4L * count)
                    .count(1)
                    .count(count)
                    .overQuads(1, count);
            float[] both = parts.toFloats();
            for (int i = 0; i < count; i++) {
                float high = both[i];
                assertEquals(0, Float.floatToIntBits(high) & 0x1fff, "the bits that TF32 has not, of " + values[i]);
                assertEquals(values[i], high + both[count + i], 0, "the parts' sum");
                // Rounded, but for the largest, which are cut.
                double most = Math.abs(values[i]) * (Math.abs(values[i]) == Float.MAX_VALUE ? 0x1p-10 : 0x1p-11);
                assertTrue(Math.abs(both[count + i]) <= most, "low of " + values[i]);
                if (i % odd.length == 4) assertEquals(1 + 0x1p-10f, high, "a tie goes away from zero");
            }
        }
    }

    /** Some operands with the product in double. */
    private final class Case {
        private final Form form;
        private final int m;
        private final int n;
        private final int k;
        private final float[] left;
        private final float[] right;

        Case(Form form, int m, int n, int k, boolean positive) {
            this.form = form;
            this.m = m;
            this.n = n;
            this.k = k;
            left = numbers(m * k, positive);
            right = numbers(k * n, positive);
        }

        private float[] numbers(int size, boolean positive) {
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                float value = (float) random.nextGaussian();
                values[i] = positive ? Math.abs(value) : value;
            }
            return values;
        }

        private double x(int i, int l) {
            return left[form == Form.TN ? l * m + i : i * k + l];
        }

        private double y(int l, int j) {
            return right[form == Form.NT ? j * k + l : l * n + j];
        }

        /** The error's root mean square beside that of the elements. */
        double error(Blas blas) {
            float[] c = product(blas, false, 0);
            double squares = 0;
            double size = 0;
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int l = 0; l < k; l++) sum += x(i, l) * y(l, j);
                    squares += (c[i * n + j] - sum) * (c[i * n + j] - sum);
                    size += sum * sum;
                }
            }
            return Math.sqrt(squares / size);
        }

        /** Compares with the sum in double, and with what lay around c. */
        void judge(Blas blas, boolean add, int offset) {
            float[] c = product(blas, add, offset);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = add ? before(i * n + j) : 0;
                    for (int l = 0; l < k; l++) sum += x(i, l) * y(l, j);
                    assertEquals(sum, c[i * n + j], 4e-6 * Math.sqrt(k) + 1e-6, form + " " + i + " " + j);
                }
            }
        }

        private float before(int element) {
            return element % 7;
        }

        float[] product(Blas blas, boolean add, int offset) {
            float[] before = new float[offset + m * n + 5];
            Arrays.fill(before, SENTINEL);
            for (int i = 0; i < m * n; i++) before[offset + i] = add ? before(i) : Float.NaN;
            try (Tensor a = tensor(left, offset);
                    Tensor b = tensor(right, offset);
                    Tensor c = tensor(before, 0)) {
                long fromA = address(a) + 4L * offset;
                long fromB = address(b) + 4L * offset;
                long to = address(c) + 4L * offset;
                blas.multiply(form, add, fromA, fromB, to, m, n, k);
                float[] after = c.toFloats();
                for (int i = 0; i < after.length; i++) {
                    if (i < offset || i >= offset + m * n) assertEquals(SENTINEL, after[i], "beside c");
                }
                return Arrays.copyOfRange(after, offset, offset + m * n);
            }
        }
    }

    private long address(Tensor tensor) {
        return DeviceArray.address(cuda.context(), tensor);
    }

    private Tensor tensor(float[] values, int offset) {
        Tensor tensor = cuda.allocate(Shape.of(offset + values.length));
        tensor.view(offset, Shape.of(values.length)).set(values);
        return tensor;
    }
}
