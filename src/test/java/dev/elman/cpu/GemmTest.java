package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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

    /** For which room is worth most. */
    private static final int FEW_ROWS = 4;

    /** For which a right factor is worth being laid out. */
    private static final int MANY = 1000;

    private final Allocations allocations = new Allocations(new Object());
    private final Random random = new Random(11);

    static Stream<Gemm> products() {
        Stream<Gemm> java = Stream.of(new JavaGemm("for this test"));
        if (Gemms.open() instanceof JavaGemm) return java;
        // The panels are right with any kernels of OpenBLAS; only their speed depends on them.
        return Stream.concat(java, Stream.of(new OpenBlasGemm(), new PanelGemm()));
    }

    @AfterEach
    void free() {
        allocations.close();
    }

    @ParameterizedTest
    @MethodSource("products")
    void agreesWithPlainLoops(Gemm gemm) {
        int[][] sizes = {
            {1, 1, 1},
            {1, 33, 100},
            {3, 5, 1},
            {31, 1, 33},
            {33, 100, 129},
            {7, 31, 257},
            {5, 4, 0},
            {0, 3, 2},
            {61, 64, 64},
            {130, 130, 300},
            {122, 72, 31},
            {4, 70, 600},
            {9, 60, 200},
            {70, 250, 513}
        };
        for (int[] size : sizes) {
            for (int variant = 0; variant < 8; variant++) {
                boolean room = (variant & 4) != 0;
                check(gemm, size[0], size[1], size[2], false, (variant & 1) != 0, (variant & 2) != 0, room);
            }
            check(gemm, size[0], size[1], size[2], true, false, true, false);
        }
    }

    /** Few rows of a factor that is read as it is stored, and of those one row too many for that. */
    @ParameterizedTest
    @MethodSource("products")
    void agreesWithPlainLoopsInAnyOrder(Gemm gemm) {
        try (Workers workers = new Workers(2)) {
            for (int m : new int[] {0, 1, 3, 61, 64, 65}) {
                for (int[] size : new int[][] {{1, 1}, {64, 0}, {70, 30}, {130, 300}, {33, 600}}) {
                    for (int variant = 0; variant < 4; variant++) {
                        Matrix a = noise(m, size[1]);
                        boolean transposed = (variant & 1) != 0;
                        Matrix b = transposed ? noise(size[0], size[1]).transpose() : noise(size[1], size[0]);
                        try (Gemm.Factor right = gemm.rightInAnyOrder(b, m, workers)) {
                            compare(right, a, b, noise(m, size[0]), (variant & 2) != 0);
                        }
                    }
                }
            }
        }
    }

    /** Where a product promises it, a row has the same bits alone, among few and among many. */
    @ParameterizedTest
    @MethodSource("products")
    void rowsAreComputedAlone(Gemm gemm) {
        boolean promised = gemm instanceof PanelGemm ? PanelGemm.suits() : gemm.rowsAlone();
        if (!promised) return;
        for (int columns : new int[] {1, 5, 16, 40, 50, 64, 72, 100, 120, 200}) {
            for (int length : new int[] {1, 20, 33, 100, 256, 300, 600, 1100}) {
                Matrix b = noise(length, columns);
                checkAlone(gemm, b, columns);
                int room = gemm.room(columns, FEW_ROWS, length);
                if (room > columns) checkAlone(gemm, b, room);
            }
        }
    }

    private void checkAlone(Gemm gemm, Matrix b, int width) {
        Matrix a = noise(130, b.rows());
        Matrix c = noise(130, width);
        boolean room = width > b.columns();
        try (Gemm.Factor right = gemm.right(b, room, MANY);
                Gemm.Factor forFew = gemm.right(b, room, 1)) {
            right.multiply(a, 0, c, 0, 130, false);
            float[] together = all(c.memory());
            forFew.multiply(a, 0, c, 0, 130, false);
            assertArrayEquals(
                    together, all(c.memory()), b.rows() + "x" + b.columns() + " in " + width + " for few rows");
            for (int rows : new int[] {1, 2, 3, 5, 64, 118}) {
                for (int i = 0; i < 130; i++) c.memory().floats().put(index(c, i, 0), SENTINEL);
                for (int from = 0; from < 130; from += rows) {
                    right.multiply(a, from, c, from, Math.min(rows, 130 - from), false);
                }
                String what = rows + " rows at a time, " + b.rows() + "x" + b.columns() + " in " + width;
                assertArrayEquals(together, all(c.memory()), what);
            }
        }
    }

    /** Large enough that the other threads are told. */
    @ParameterizedTest
    @MethodSource("products")
    void aFactorThatSeveralThreadsMadeReadyIsTheSame(Gemm gemm) {
        Matrix a = noise(5, 310);
        try (Workers workers = new Workers(3)) {
            for (Matrix b : new Matrix[] {noise(310, 300), noise(300, 310).transpose()}) {
                Matrix alone = zeros(5, 300);
                Matrix together = zeros(5, 300);
                try (Gemm.Factor one = gemm.right(b, false, MANY);
                        Gemm.Factor several = gemm.right(b, false, MANY, workers)) {
                    one.multiply(a, 0, alone, 0, 5, false);
                    several.multiply(a, 0, together, 0, 5, false);
                }
                assertArrayEquals(values(alone), values(together));
            }
        }
    }

    /** An infinity or a NaN among a factor's elements reaches the results that it is a term of, and no others. */
    @ParameterizedTest
    @MethodSource("products")
    void whatIsNoNumberStaysInItsColumn(Gemm gemm) {
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            Matrix a = noise(5, 90);
            Matrix b = denselyStored(70, 90).transpose();
            b.memory().floats().put(index(b, 33, 20), value);
            Matrix c = zeros(5, 70);
            try (Gemm.Factor right = gemm.right(b, false, MANY)) {
                right.multiply(a, 0, c, 0, 5, false);
            }
            for (int i = 0; i < 5; i++) {
                for (int j = 0; j < 70; j++) assertEquals(j != 20, Float.isFinite(at(c, i, j)), i + "," + j);
            }
        }
    }

    /** The same for the rows of a transposed product. */
    @ParameterizedTest
    @MethodSource("products")
    void rowsOfATransposedProductAreComputedAlone(Gemm gemm) {
        boolean promised = gemm instanceof PanelGemm ? PanelGemm.suits() : gemm.rowsAlone();
        if (!promised) return;
        for (int columns : new int[] {1, 5, 16, 40, 64, 72, 100, 200}) {
            for (int length : new int[] {1, 20, 33, 128, 300}) {
                Matrix a = noise(length, 130);
                Matrix b = noise(length, columns);
                Matrix c = zeros(130, columns);
                gemm.addTransposed(a, b, c);
                float[] together = values(c);
                for (int rows : new int[] {1, 2, 3, 5, 64}) {
                    Matrix again = zeros(130, columns);
                    for (int from = 0; from < 130; from += rows) {
                        int count = Math.min(rows, 130 - from);
                        gemm.addTransposed(a.columns(from, count), b, again.rows(from, count));
                    }
                    String what = rows + " rows at a time, " + length + "x" + columns;
                    assertArrayEquals(together, values(again), what);
                }
            }
        }
    }

    /** A matrix of zeros, the same sentinels around it as {@link #noise} has. */
    private Matrix zeros(int rows, int columns) {
        Matrix matrix = noise(rows, columns);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) matrix.memory().floats().put(index(matrix, i, j), 0);
        }
        return matrix;
    }

    /** A transposed right factor as weights are stored, of sizes that miss a vector and a block. */
    @ParameterizedTest
    @MethodSource("products")
    void agreesForDenselyStoredWeights(Gemm gemm) {
        for (int[] size : new int[][] {{1, 1}, {64, 300}, {70, 256}, {130, 513}, {33, 31}, {60, 200}}) {
            Matrix a = noise(9, size[1]);
            Matrix b = denselyStored(size[0], size[1]).transpose();
            Matrix c = noise(9, size[0]);
            try (Gemm.Factor right = gemm.right(b, false, MANY)) {
                compare(right, a, b, c, false);
            }
        }
    }

    /** A right factor so large that plain Java does not keep it on the heap. */
    @ParameterizedTest
    @MethodSource("products")
    void agreesForATallRightFactor(Gemm gemm) {
        check(gemm, 2, 70, 30_001, true, false, true, false);
    }

    private void check(
            Gemm gemm, int m, int n, int k, boolean transposeA, boolean transposeB, boolean add, boolean room) {
        Matrix a = transposeA ? noise(k, m).transpose() : noise(m, k);
        Matrix b = transposeB ? noise(n, k).transpose() : noise(k, n);
        Matrix c = noise(m, room ? gemm.room(n, FEW_ROWS, k) : n);
        if (!transposeA) {
            try (Gemm.Factor right = gemm.right(b, c.columns() > n, m)) {
                compare(right, a, b, c, add);
            }
            return;
        }
        float[] before = all(c.memory());
        gemm.addTransposed(a.transpose(), b, c);
        compare(a, b, c, before, true);
    }

    private void compare(Gemm.Factor right, Matrix a, Matrix b, Matrix c, boolean add) {
        float[] before = all(c.memory());
        right.multiply(a, 0, c, 0, c.rows(), add);
        compare(a, b, c, before, add);
    }

    /** c, which may have room for more columns than b, with what it should have become. */
    private static void compare(Matrix a, Matrix b, Matrix c, float[] before, boolean add) {
        int m = a.rows();
        int k = b.rows();
        int n = b.columns();
        float[] after = all(c.memory());
        String what = a + " times " + b + (add ? ", added to " : " to ") + c;
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
            }
            for (int j = 0; j < c.columns(); j++) before[index(c, i, j)] = after[index(c, i, j)];
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

    /** A matrix whose rows lie side by side. */
    private Matrix denselyStored(int rows, int columns) {
        Memory memory = allocations.allocate(Shape.of(rows, columns));
        for (int i = 0; i < rows * columns; i++) memory.floats().put(i, (float) random.nextGaussian());
        return new Matrix(memory, 0, rows, columns, columns, false);
    }

    private static int index(Matrix matrix, int i, int j) {
        return matrix.offset() + (matrix.transposed() ? j * matrix.stride() + i : i * matrix.stride() + j);
    }

    private static float at(Matrix matrix, int i, int j) {
        return matrix.memory().floats().get(index(matrix, i, j));
    }

    private static float[] values(Matrix matrix) {
        float[] values = new float[matrix.rows() * matrix.columns()];
        for (int i = 0; i < values.length; i++) values[i] = at(matrix, i / matrix.columns(), i % matrix.columns());
        return values;
    }

    private static float[] all(Memory memory) {
        float[] values = new float[memory.floats().capacity()];
        memory.floats().get(0, values);
        return values;
    }
}
