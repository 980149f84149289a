package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a layer hands to its plan, which needs no GPU. */
class CudaSimpleRnnTest {
    private static final Operands.Rnn SIZES = new Operands.Rnn(3, 4, 5, 6);

    private final List<Integer> asked = new ArrayList<>();
    private final List<Integer> given = new ArrayList<>();

    /** A second direction may be for nothing in one plan and not in another, so the choice is for both. */
    @Test
    void thePlanIsChosenForAllDirections() {
        CudaSimpleRnn rnn = new CudaSimpleRnn(
                new Planner(List.of(new Recorder()), null),
                new OwnBlas(null, null, 132), // such small products need no memory of their own
                null,
                new RecurrentDropout(null, null),
                new LiveRows(null, null, null, false));
        rnn.forward(List.of(new CudaSimpleRnn.Forward(pass(false), null)));
        rnn.forward(List.of(new CudaSimpleRnn.Forward(pass(false), null), new CudaSimpleRnn.Forward(pass(true), null)));
        List<CudaSimpleRnn.Backward> back = List.of(
                new CudaSimpleRnn.Backward(pass(true), null, 0, 0, 0, 0),
                new CudaSimpleRnn.Backward(pass(false), null, 0, 0, 0, 0));
        assertThrows(Ran.class, () -> rnn.backward(back));
        assertEquals(List.of(1, 2, 2), asked);
        assertEquals(asked, given);
    }

    private static Recurrence pass(boolean reverse) {
        return new Recurrence(SIZES, Activation.TANH, reverse, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /** Thrown before the products that follow. */
    private static final class Ran extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private final class Recorder implements RecurrencePlan {
        @Override
        public String name() {
            return "recorder";
        }

        @Override
        public String refusal(Operands.Rnn sizes, boolean backward, boolean dropout) {
            return null;
        }

        @Override
        public double expectedMicros(Operands.Rnn sizes, int directions, boolean backward, boolean dropout) {
            asked.add(directions);
            return 1;
        }

        @Override
        public void forward(List<Recurrence> directions) {
            given.add(directions.size());
        }

        @Override
        public void backward(List<Recurrence> directions) {
            given.add(directions.size());
            throw new Ran();
        }
    }
}
