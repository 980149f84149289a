package dev.elman.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.elman.reference.ReferenceBackend;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers that no operation takes, on either side of what it takes; shapes are the contract's. */
class OperandsTest {
    private final Backend backend = new ReferenceBackend();
    private final Tensor one = backend.allocate(Shape.of(1));
    private final Tensor two = backend.allocate(Shape.of(1, 2));

    @AfterEach
    void close() {
        one.close();
        two.close();
        backend.close();
    }

    private static void assertRefused(Executable call) {
        assertThrows(IllegalArgumentException.class, call);
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, 0, -1})
    void aLimitIsPositive(double limit) {
        assertRefused(() -> Operands.clipValue(limit));
        assertRefused(() -> Operands.clipGlobalNorm(limit, one));
        assertRefused(() -> Constraint.maxNorm(limit));
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, -0.1, 1})
    void aShareIsBelowOne(double share) {
        try (IntTensor label = backend.allocateInts(Shape.of(1));
                Tensor metrics = backend.allocate(Shape.of(2))) {
            assertRefused(() -> Operands.softmaxCrossEntropy(two, label, share, metrics, two));
        }
        assertRefused(() -> new Dropout(share, 1, 0));
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, -0.5, 0.5})
    void anyMomentumNeedsAVelocity(double momentum) {
        assertRefused(() -> Operands.sgdStep(new SgdStep(0.1, momentum, false, 0), one, one, null));
    }

    @Test
    void weightsAreAskedForInTheirOrder() {
        assertSaid("denseForward: w must be [D,K], but is [1].", () -> Operands.denseForward(two, one, null, two));
        assertSaid("linearForward: w must be [K,D], but is [1].", () -> Operands.linearForward(two, one, null, two));
        assertSaid("dropout: x must be [T,N,C] or [N,C], but is [1].", () -> Operands.dropout(one, one));
    }

    private static void assertSaid(String message, Executable call) {
        assertEquals(message, assertThrows(ShapeMismatchException.class, call).getMessage());
    }

    @Test
    void columnsLieWithinTheirMatrix() {
        assertRefused(() -> Operands.copyColumns(two, -1, two, 0, 1));
        assertRefused(() -> Operands.copyColumns(two, 1, two, 0, -1));
        assertRefused(() -> Operands.copyColumns(two, 0, two, 0, 3));
        assertRefused(() -> Operands.copyColumns(two, 0, two, 1, 2));
        assertRefused(() -> Operands.copyColumns(two, Integer.MAX_VALUE, two, 0, 2));
    }
}
