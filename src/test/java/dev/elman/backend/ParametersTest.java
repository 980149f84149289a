package dev.elman.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Parameters.Spec;
import dev.elman.contract.Intercepted;
import dev.elman.contract.OnReference;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Named views of one flat tensor: where they lie, who closes it, and what there cannot be. */
class ParametersTest extends OnReference {
    private static final List<Spec> SPECS = List.of(new Spec("w", Shape.of(5, 7)), new Spec("b", Shape.of(7)));

    @Test
    void viewsBeginAtWholeLines() {
        try (Parameters parameters = Parameters.allocate(backend, SPECS)) {
            parameters.get("b").set(new float[] {1, 2, 3, 4, 5, 6, 7});
            assertEquals(64 + 32, parameters.flat().shape().size());
            assertEquals(7, parameters.flat().toFloats()[64 + 6]);
            assertEquals(5 * 7 + 7, parameters.count());
            assertEquals(Set.of("w", "b"), parameters.views().keySet());
            assertThrows(
                    UnsupportedOperationException.class,
                    () -> parameters.views().clear());
        }
    }

    @Test
    void aNameThatIsNotThereOrTwiceIsRefused() {
        try (Parameters parameters = Parameters.allocate(backend, SPECS)) {
            String said = assertThrows(IllegalArgumentException.class, () -> parameters.get("wh"))
                    .getMessage();
            assertEquals("No parameter wh; there are [w, b].", said);
        }
        List<Spec> twice = List.of(SPECS.get(0), SPECS.get(0));
        assertThrows(IllegalArgumentException.class, () -> Parameters.allocate(backend, twice));
    }

    @Test
    void memoryOfOthersIsOfOneSizeAndLeftAlone() {
        int size = Parameters.size(SPECS);
        for (int wrong : new int[] {size - 1, size + 1}) {
            try (Tensor flat = backend.allocate(Shape.of(wrong))) {
                assertThrows(ShapeMismatchException.class, () -> Parameters.over(flat, SPECS));
            }
        }
        try (Tensor flat = backend.allocate(Shape.of(size))) {
            Parameters.over(flat, SPECS).close();
            assertEquals(0, flat.toFloats()[size - 1]);
        }
    }

    /** 2^31 - 32 numbers, whole lines, are the most; what is one more would take a line more. */
    @Test
    void moreThanATensorHoldsIsRefused() {
        int most = Integer.MAX_VALUE - 31;
        assertEquals(most, Parameters.size(List.of(new Spec("w", Shape.of(most)))));
        List<Spec> more = List.of(SPECS.get(1), new Spec("w", Shape.of(most)));
        String said = assertThrows(IllegalArgumentException.class, () -> Parameters.size(more))
                .getMessage();
        assertTrue(said.contains("with w [2147483616]"), said);
    }

    @Test
    void ofAPairThereIsBothOrNeither() {
        Backend granting = Intercepted.of(backend, call -> {
            if (backend.liveTensors() == 1) throw new OutOfMemoryError("none left");
            return call.proceed();
        });
        assertThrows(OutOfMemoryError.class, () -> Parameters.allocatePair(granting, SPECS));
    }
}
