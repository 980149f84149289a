package dev.elman.rnn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.backend.Parameters;
import dev.elman.backend.Tensor;
import dev.elman.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InitializerTest {
    @ParameterizedTest
    @CsvSource({"1,1", "7,7", "5,31", "31,5", "100,100"})
    void orthogonalRowsOrColumns(int rows, int columns) {
        double[] w = Initializer.orthogonal().values(rows, columns, new Random(1));
        int count = Math.min(rows, columns);
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < count; j++) {
                double dot = 0;
                for (int k = 0; k < Math.max(rows, columns); k++) {
                    dot += rows <= columns
                            ? w[i * columns + k] * w[j * columns + k]
                            : w[k * columns + i] * w[k * columns + j];
                }
                assertEquals(i == j ? 1 : 0, dot, 1e-12, "vectors " + i + " and " + j);
            }
        }
    }

    @Test
    void boundsAndMoments() {
        double[] glorot = Initializer.glorotUniform().values(100, 200, new Random(2));
        double limit = Math.sqrt(6.0 / 300);
        assertTrue(Arrays.stream(glorot).allMatch(v -> Math.abs(v) <= limit));
        assertTrue(Arrays.stream(glorot).max().orElse(0) > 0.99 * limit);
        double[] notebook = Initializer.normal(0.01).values(100, 200, new Random(3));
        double squares = Arrays.stream(notebook).map(v -> v * v).sum();
        assertEquals(0.01, Math.sqrt(squares / notebook.length), 0.0002);
        double[] torch = Initializer.uniform(1 / Math.sqrt(64)).values(64, 64, new Random(4));
        assertTrue(Arrays.stream(torch).allMatch(v -> Math.abs(v) <= 0.125));
        assertEquals(
                0.125 * 0.125 / 3,
                Arrays.stream(torch).map(v -> v * v).average().orElse(0),
                3e-4);
        assertArrayEquals(new double[6], Initializer.zeros().values(2, 3, new Random(5)));
    }

    @Test
    void aDenseLayerDrawnAnewHasNoBiasAgain() {
        try (Backend backend = new ReferenceBackend();
                Parameters weights = Parameters.allocate(backend, Dense.specs("dense", 2, 3));
                Dense dense = new Dense(backend, "dense", weights, null)) {
            Tensor b = weights.get("dense.b");
            b.set(new float[] {1, 2, 3});
            dense.initialize(Initializer.glorotUniform(), new Random(1));
            assertArrayEquals(new float[3], b.toFloats());
        }
    }

    @Test
    void sameSeedSameNumbers() {
        for (Initializer initializer : new Initializer[] {
            Initializer.orthogonal(), Initializer.glorotUniform(), Initializer.normal(1), Initializer.uniform(0.5)
        }) {
            assertArrayEquals(initializer.values(5, 4, new Random(7)), initializer.values(5, 4, new Random(7)));
        }
    }
}
