package dev.elman.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Of logits so large that log 2 is lost beside them, each of two equal ones has the probability 1/2. */
class TiedLogitsTest {
    @ParameterizedTest
    @EnumSource(TestedBackend.class)
    void shareTheProbability(TestedBackend tested) {
        try (Backend backend = tested.open();
                Tensor logits = backend.allocate(Shape.of(1, 3));
                IntTensor labels = backend.allocateInts(Shape.of(1));
                Tensor metrics = backend.allocate(Shape.of(2));
                Tensor y = backend.allocate(logits.shape())) {
            for (float large : new float[] {0x1p40f, 0x1p57f, 0x1p100f}) {
                logits.set(large, 0, large);
                backend.softmax(logits, y);
                assertArrayEquals(new double[] {.5, 0, .5}, y.toDoubles(), 1e-7);
                backend.softmaxCrossEntropy(logits, labels, 0, 1, metrics, y);
                assertArrayEquals(new double[] {Math.log(2), 1}, metrics.toDoubles(), 1e-7);
                assertArrayEquals(new double[] {-.5, 0, .5}, y.toDoubles(), 1e-7);
            }
        }
    }
}
