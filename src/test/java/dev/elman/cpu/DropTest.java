package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.elman.backend.Backend;
import dev.elman.backend.Dropout;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.reference.ReferenceBackend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where pieces begin and end: in a row, between steps, after many rows or few. */
class DropTest {
    private static final float SENTINEL = 77;

    @ParameterizedTest
    @CsvSource({
        "1,1,1",
        "1,700,4",
        "5,7,3",
        "3,100,33",
        "2,2,1024",
        "3,2,1025",
        "2,3,2501",
        "1,1,70000",
        "4,0,5",
        "0,4,5",
        "3,4,0"
    })
    void isThatOfTheReference(int steps, int rows, int width) {
        float[] values = new float[steps * rows * width];
        for (int i = 0; i < values.length; i++) values[i] = i % 11 == 3 ? Float.NaN : i % 13 == 5 ? -1f / 0 : i + 1;
        for (boolean variational : new boolean[] {false, true}) {
            Dropout dropout = new Dropout(.5, 0x123456789ABCDEFL, 2_000_000_000, variational);
            Shape shape = Shape.of(steps, rows, width);
            float[] expected = dropped(new ReferenceBackend(), dropout, shape, values);
            assertArrayEquals(expected, dropped(CpuBackend.open(2), dropout, shape, values));
        }
    }

    /** With what stands before and behind it. */
    private static float[] dropped(Backend opened, Dropout dropout, Shape shape, float[] values) {
        try (Backend backend = opened;
                Tensor x = backend.allocate(shape);
                Tensor all = backend.allocate(Shape.of(values.length + 2))) {
            x.set(values);
            backend.fill(all, SENTINEL);
            backend.dropout(dropout, x, all.view(1, shape));
            return all.toFloats();
        }
    }
}
