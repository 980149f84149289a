package dev.elman.cuda;

import dev.elman.backend.Operands;
import java.util.List;

/**
 * A way of running the recurrence. All plans compute the same numbers within the contract's tolerance; each gives its own
 * bits, and the same ones on every run. What sums over all steps, the gradients of the parameters and of x, is no plan's
 * business.
 *
 * <p>Everything is handed to the context's stream; nothing is waited for but what {@link LiveRows} counts.
 */
interface RecurrencePlan {
    /** What {@code elman.cuda.plan} calls it. */
    String name();

    /**
     * Why it cannot run a pass of these sizes here, as half a sentence; null if it can.
     *
     * @param dropout whether the recurrence drops states
     */
    String refusal(Operands.Rnn sizes, boolean backward, boolean dropout);

    /**
     * Microseconds that the recurrence takes a step, of many, for all directions of a layer: what an H200 was measured
     * to take, drawn out to other sizes. It does not depend on T, since a sequence that is run back step by step is promised the
     * bits of the whole.
     */
    double expectedMicros(Operands.Rnn sizes, int directions, boolean backward, boolean dropout);

    /** Why so few steps are better launched one by one, which gives the same bits, as half a sentence; null if not. */
    default String tooShort(Operands.Rnn sizes) {
        return null;
    }

    /**
     * Fills the states of all steps from x and the initial slot. T is at least 1.
     *
     * @param directions one or both of a layer, of the same sizes, mask and activation, the second one the other way
     */
    void forward(List<Recurrence> directions);

    /**
     * From the step that ran last to the one that ran first: the gradient of the state after becomes da, and da Wh^T is added
     * to the gradient of the state before. T is at least 1.
     *
     * @param directions as forward
     */
    void backward(List<Recurrence> directions);

    /** Gives back what it keeps on the device. Throws nothing, whatever became of the device. */
    default void close() {}
}
