package dev.elman.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.contract.Intercepted;
import dev.elman.reference.ReferenceBackend;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrialTest {
    /** A kernel moves four numbers at once where all begin at a multiple of four, and one by one elsewhere: both are asked. */
    @ParameterizedTest
    @ValueSource(longs = {6, 7})
    void operandsBeginAtQuadsOrAnywhere(long seed) {
        Shape shape = Shape.of(3);
        int rest = Operand.allocation(0, shape).extent(0);
        Set<Integer> places = new TreeSet<>();
        try (Backend reference = new ReferenceBackend()) {
            Backend backend = Intercepted.of(reference, call -> {
                places.add((call.argument(0, Shape.class).extent(0) - rest) % 4);
                return call.proceed();
            });
            try (Trial trial = new Trial(backend, reference, seed, Tampering.NONE)) {
                for (int i = 0; i < 4; i++) trial.input("x" + i, shape);
            }
        }
        assertEquals(seed % 2 == 0 ? Set.of(0) : Set.of(0, 1, 2, 3), places);
    }
}
