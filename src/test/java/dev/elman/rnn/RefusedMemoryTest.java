package dev.elman.rnn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.Intercepted;
import dev.elman.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A layer that gets no memory for one call is as it was before, and goes on. */
class RefusedMemoryTest {
    private static final int N = 3;

    private final Backend sound = new ReferenceBackend();
    /** How many tensors it still gives. */
    private int granted = Integer.MAX_VALUE;

    /** Copies from the last element to the first, as one may whose operands do not overlap. */
    private final Backend backend = Intercepted.of(sound, call -> {
        if (call.operation().startsWith("allocate") && granted-- <= 0) throw new OutOfMemoryError("none left");
        if (!call.operation().equals("copy")) return call.proceed();
        copyBackwards(call.argument(0, Tensor.class), call.argument(1, Tensor.class));
        return null;
    });

    private void copyBackwards(Tensor x, Tensor y) {
        for (long i = x.shape().size() - 1; i >= 0; i--) {
            sound.copy(x.view(i, Shape.of(1)), y.view(i, Shape.of(1)));
        }
    }

    @AfterEach
    void nothingLeft() {
        assertEquals(0, sound.liveTensors());
        sound.close();
    }

    static Stream<SimpleRnnConfig> layers() {
        SimpleRnnConfig stateful = SimpleRnnConfig.of(2, 3).withStateful(true);
        return Stream.of(
                stateful,
                stateful.withGoBackwards(true),
                stateful.withZeroOutputForMask(true),
                stateful.withOutput(Output.MAX).withLayers(2),
                stateful.withOutput(Output.LAST).withBidirectional(true),
                stateful.withBidirectional(true).withLayers(2).withRecurrentBias(true));
    }

    /** Whichever of the tensors is the one that it does not get. */
    @ParameterizedTest
    @MethodSource("layers")
    void aCallThatGetsNoMemoryChangesNothing(SimpleRnnConfig config) {
        try (Tensor few = input(4);
                Tensor many = input(40);
                IntTensor mask = mask(4);
                IntTensor longMask = mask(40)) {
            double[] expected;
            try (SimpleRnn rnn = SimpleRnn.create(backend, config, 1)) {
                rnn.forward(few, mask);
                expected = rnn.forward(few, mask).toDoubles();
            }
            int refusals = 0;
            for (boolean refused = true; refused; refusals += refused ? 1 : 0) {
                try (SimpleRnn rnn = SimpleRnn.create(backend, config, 1)) {
                    Tensor y = rnn.forward(few, mask);
                    double[] state = rnn.state().toDoubles();
                    granted = refusals;
                    try {
                        rnn.forward(many, longMask);
                        refused = false;
                        continue;
                    } catch (OutOfMemoryError e) {
                        assertEquals("none left", e.getMessage());
                    } finally {
                        granted = Integer.MAX_VALUE;
                    }
                    assertArrayEquals(state, rnn.state().toDoubles());
                    IllegalStateException e = assertThrows(IllegalStateException.class, () -> rnn.backward(y));
                    assertTrue(e.getMessage().contains("Call forward first"), e.getMessage());
                    assertArrayEquals(expected, rnn.forward(few, mask).toDoubles(), "after tensor " + refusals);
                }
            }
            assertTrue(refusals > 0);
        }
    }

    @Test
    void statesThatFindNoRoomLeaveThoseThatAreThere() {
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(2, 3).withStateful(true), 1);
                Tensor x = input(4);
                Tensor more = sound.allocate(Shape.of(5 * N, 3))) {
            rnn.forward(x, null);
            for (granted = 0; granted < 2; ) {
                int before = granted;
                double[] state = rnn.state().toDoubles();
                assertThrows(OutOfMemoryError.class, () -> rnn.setState(more));
                granted = Integer.MAX_VALUE;
                assertArrayEquals(state, rnn.state().toDoubles());
                rnn.forward(x, null);
                granted = before + 1;
            }
            granted = Integer.MAX_VALUE;
            rnn.setState(more);
            assertEquals(more.shape(), rnn.state().shape());
        }
    }

    /** The first row is done, and the others go on without it. */
    @Test
    void theStatesOfSomeRowsMayBeSetAgain() {
        try (SimpleRnn rnn = SimpleRnn.create(backend, SimpleRnnConfig.of(2, 3).withStateful(true), 1);
                Tensor x = input(4)) {
            rnn.forward(x, null);
            double[] all = rnn.state().toDoubles();
            rnn.setState(rnn.state().slice(1, N - 1));
            assertArrayEquals(
                    Arrays.copyOfRange(all, 3, all.length), rnn.state().toDoubles());
        }
    }

    @Test
    void aLayerThatCannotBeDrawnLeavesNothing() {
        Initializer none = (rows, columns, random) -> {
            throw new OutOfMemoryError("Java heap space");
        };
        Initializers initializers = new Initializers(none, none, none);
        assertThrows(OutOfMemoryError.class, () -> SimpleRnn.create(sound, SimpleRnnConfig.of(2, 3), initializers, 1));
        assertEquals(0, sound.liveTensors());
    }

    private Tensor input(int steps) {
        Tensor x = sound.allocate(Shape.of(steps, N, 2));
        x.set(new Random(steps).doubles(x.shape().size()).toArray());
        return x;
    }

    /** The last row has but one live step. */
    private IntTensor mask(int steps) {
        IntTensor mask = sound.allocateInts(Shape.of(steps, N));
        int[] live = new int[steps * N];
        Arrays.fill(live, 1);
        for (int t = 1; t < steps; t++) live[t * N + N - 1] = 0;
        mask.set(live);
        return mask;
    }
}
