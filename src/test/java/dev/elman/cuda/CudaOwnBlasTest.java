package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.cuda.Blas.Form;
import dev.elman.cuda.OwnBlas.Tile;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Our own matrix products, with every tile: right, the same bits whatever the tile, and nothing beside them touched. */
@Tag("cuda")
class CudaOwnBlasTest {
    /** Multiprocessors that make it choose each tile for 200 rows and 120 columns. */
    private static final Map<Tile, Integer> CHOICES = Map.of(Tile.LARGE, 1, Tile.MIDDLE, 8, Tile.SMALL, 1000);

    private static final float SENTINEL = -77;

    private final Random random = new Random(5);
    private CudaBackend cuda;

    @BeforeEach
    void open() {
        cuda = Required.open("cuda", () -> CudaBackend.open(Settings.of("gemm=own")));
    }

    @AfterEach
    void close() {
        if (cuda == null) return;
        assertEquals(0, cuda.liveTensors());
        cuda.close();
    }

    @ParameterizedTest
    @EnumSource
    void allTilesGiveTheSameBits(Form form) {
        for (int k : new int[] {1, 8, 37, 64}) {
            float[][] c = new float[2][];
            for (Tile tile : Tile.values()) {
                assertEquals(tile, Tile.of(200, 120, 1, CHOICES.get(tile)));
                c[1] = judged(CHOICES.get(tile), form, true, 200, 120, k, 0, 17);
                if (c[0] != null) assertArrayEquals(c[0], c[1], form + " " + tile + " k = " + k);
                c[0] = c[1];
            }
        }
    }

    /** Aligned and not, whole tiles and single elements, added and not. */
    @ParameterizedTest
    @CsvSource({"128, 64, 16", "1, 1, 1", "33, 129, 9", "3, 31, 100", "64, 32, 65", "200, 2, 5"})
    void allShapesAndAlignments(int m, int n, int k) {
        for (Form form : Form.values()) {
            for (int multiprocessors : new int[] {1, 6, 1000}) {
                for (int offset = 0; offset < 2; offset++) {
                    judged(multiprocessors, form, offset == 0, m, n, k, offset, 3);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"5, 3, 600", "40, 33, 1000", "130, 70, 520", "1, 2, 18000"})
    void longSumsAreCutIntoSlices(int m, int n, int k) {
        assertTrue(OwnBlas.slices(Form.TN, m, n, k) > 1);
        for (int multiprocessors : new int[] {1, 6, 1000}) {
            float[] added = judged(multiprocessors, Form.TN, true, m, n, k, 0, 3);
            assertArrayEquals(added, judged(multiprocessors, Form.TN, true, m, n, k, 0, 3));
            judged(multiprocessors, Form.TN, false, m, n, k, 1, 3);
        }
    }

    /** 512 slices of 256 rows; of more rows fewer slices, for their lengths are multiples of 32. */
    @Test
    void aShorterSumTakesNothingMore() {
        OwnBlas blas = new OwnBlas(cuda.context(), cuda.kernels(), 8);
        blas.reserve(Form.TN, 8, 8, 512 * 256 + 100);
        long taken = cuda.context().counters().bytes;
        blas.reserve(Form.TN, 8, 8, 512 * 256);
        assertEquals(taken, cuda.context().counters().bytes);
    }

    /** Whoever reserves it has changed something when it comes to the product, here of 71 slices. */
    @Test
    void aProductTakesNothingMoreThanIsReserved() {
        OwnBlas blas = new OwnBlas(cuda.context(), cuda.kernels(), 8);
        try (Tensor a = tensor(new float[18000], 0);
                Tensor b = tensor(new float[2 * 18000], 0);
                Tensor c = tensor(new float[2], 0)) {
            blas.reserve(Form.TN, 1, 2, 18000);
            long taken = cuda.context().counters().allocations;
            blas.multiply(Form.TN, true, address(a), address(b), address(c), 1, 2, 18000);
            assertEquals(taken, cuda.context().counters().allocations);
        }
    }

    /** What the backend promises of a sequence run step by step. */
    @ParameterizedTest
    @EnumSource(names = {"NN", "NT"})
    void aRowHasTheSameBitsAmongAnyOthers(Form form) {
        float[] many = judged(4, form, true, 300, 40, 33, 0, 9);
        float[] few = judged(4, form, true, 2, 40, 33, 0, 9);
        assertArrayEquals(few, Arrays.copyOf(many, 2 * 40));
        assertTrue(cuda.sameBitsByStep());
    }

    @ParameterizedTest
    @EnumSource(names = {"NN", "NT"})
    void aNumberThatIsNoneStaysInItsRow(Form form) {
        try (Tensor a = tensor(new float[70 * 9], 0);
                Tensor b = tensor(new float[9 * 33], 0);
                Tensor c = tensor(new float[70 * 33], 0)) {
            a.view(31 * 9L + 4, Shape.of(1)).set(new float[] {Float.NaN});
            multiply(4, form, false, address(a), address(b), address(c), 70, 33, 9);
            float[] result = c.toFloats();
            for (int i = 0; i < result.length; i++) assertEquals(i / 33 == 31, Float.isNaN(result[i]), "element " + i);
        }
    }

    /** The product on the device, compared with the sum in double and with what lay around it. */
    private float[] judged(int multiprocessors, Form form, boolean add, int m, int n, int k, int offset, long seed) {
        random.setSeed(seed);
        float[] right = numbers(k * n);
        float[] left = form == Form.TN ? numbers(k * m) : numbers(m * k);
        float[] before = new float[offset + m * n + 5];
        Arrays.fill(before, SENTINEL);
        for (int i = 0; i < m * n; i++) before[offset + i] = add ? i % 7 : Float.NaN;
        try (Tensor a = tensor(left, offset);
                Tensor b = tensor(right, offset);
                Tensor c = tensor(before, 0)) {
            multiply(
                    multiprocessors,
                    form,
                    add,
                    address(a) + 4L * offset,
                    address(b) + 4L * offset,
                    address(c) + 4L * offset,
                    m,
                    n,
                    k);
            float[] after = c.toFloats();
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = add ? before[offset + i * n + j] : 0;
                    for (int l = 0; l < k; l++) {
                        double x = left[form == Form.TN ? l * m + i : i * k + l];
                        sum += x * right[form == Form.NT ? j * k + l : l * n + j];
                    }
                    assertEquals(sum, after[offset + i * n + j], 1e-6 * k + 1e-5, form + " " + i + " " + j);
                }
            }
            for (int i = 0; i < offset; i++) assertEquals(SENTINEL, after[i]);
            for (int i = offset + m * n; i < after.length; i++) assertEquals(SENTINEL, after[i]);
            assertFalse(Float.isNaN(after[offset]));
            return Arrays.copyOfRange(after, offset, offset + m * n);
        }
    }

    private void multiply(int multiprocessors, Form form, boolean add, long a, long b, long c, int m, int n, int k) {
        OwnBlas blas = new OwnBlas(cuda.context(), cuda.kernels(), multiprocessors);
        blas.multiply(form, add, a, b, c, m, n, k);
    }

    private long address(Tensor tensor) {
        return DeviceArray.address(cuda.context(), tensor);
    }

    private float[] numbers(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = (float) random.nextGaussian() * 0.5f;
        return values;
    }

    private Tensor tensor(float[] values, int offset) {
        Tensor tensor = cuda.allocate(Shape.of(offset + values.length));
        tensor.view(offset, Shape.of(values.length)).set(values);
        return tensor;
    }
}
