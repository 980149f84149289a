package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Shape;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both products against plain loops in double, at sizes that miss every block, with strides and between sentinels. */
class GemmTest {
    private static final float SENTINEL = 12345;
    private static final int MARGIN = 3;

    private final Allocations allocations = new Allocations();
    private final Random random = new Random(11);

    static Stream<Gemm> products() {
        Stream<Gemm> java = Stream.of(new JavaGemm("for this test"));
        return Gemms.open() instanceof OpenBlasGemm openBlas ? Stream.concat(java, Stream.of(openBlas)) : java;
    }

    @AfterEach
    void free() {
        allocations.close();
    }

    @ParameterizedTest
    @MethodSource("products")
    void agreesWithPlainLoops(Gemm gemm) {
        int[][] sizes = {
            {1, 1, 1}, {1, 33, 100}, {3, 5, 1}, {31, 1, 33}, {33, 100, 129}, {7, 31, 257}, {5, 4, 0}, {0, 3, 2}
        };
        for (int[] size : sizes) {
            for (int variant = 0; variant < 8; variant++) {
                check(gemm, size[0], size[1], size[2], (variant & 1) != 0, (variant & 2) != 0, (variant & 4) != 0);
            }
        }
    }

    /** A right factor so large that plain Java does not keep it on the heap. */
    @ParameterizedTest
    @MethodSource("products")
    void agreesForATallRightFactor(Gemm gemm) {
        check(gemm, 2, 70, 30_001, true, false, true);
    }

    private void check(Gemm gemm, int m, int n, int k, boolean transposeA, boolean transposeB, boolean add) {
        Matrix a = transposeA ? noise(k, m).transpose() : noise(m, k);
        Matrix b = transposeB ? noise(n, k).transpose() : noise(k, n);
        Matrix c = noise(m, n);
        float[] before = all(c.memory());
        gemm.right(b).multiply(a, c, add);
        float[] after = all(c.memory());
        String what = Arrays.toString(new int[] {m, n, k}) + transposeA + transposeB + add;
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = add ? before[index(c, i, j)] : 0;
                double magnitude = Math.abs(sum);
                for (int p = 0; p < k; p++) {
                    double term = (double) at(a, i, p) * at(b, p, j);
                    sum += term;
                    magnitude += Math.abs(term);
                }
                double tolerance = 4 * 0x1p-24 * Math.sqrt(k + 1.0) * magnitude;
                assertEquals(sum, after[index(c, i, j)], tolerance, what);
                before[index(c, i, j)] = after[index(c, i, j)];
            }
        }
        assertTrue(Arrays.equals(before, after), "wrote outside its result: " + what);
    }

    /** A matrix with sentinels around and between its rows. */
    private Matrix noise(int rows, int columns) {
        int stride = columns + 2;
        int size = 2 * MARGIN + rows * stride;
        Memory memory = allocations.allocate(Shape.of(size));
        Matrix matrix = new Matrix(memory, MARGIN, rows, columns, stride, false);
        for (int i = 0; i < size; i++) memory.floats().put(i, SENTINEL);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) memory.floats().put(index(matrix, i, j), (float) random.nextGaussian());
        }
        return matrix;
    }

    private static int index(Matrix matrix, int i, int j) {
        return matrix.offset() + (matrix.transposed() ? j * matrix.stride() + i : i * matrix.stride() + j);
    }

    private static float at(Matrix matrix, int i, int j) {
        return matrix.memory().floats().get(index(matrix, i, j));
    }

    private static float[] all(Memory memory) {
        float[] values = new float[memory.floats().capacity()];
        memory.floats().get(0, values);
        return values;
    }
}
