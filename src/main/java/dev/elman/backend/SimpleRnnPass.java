package dev.elman.backend;

/**
 * How a sequence is walked.
 *
 * @param activation what turns a step's sum into the state
 * @param reverse false: from step 0 to T-1, the state before step t lies in slot t and the state after it in slot t+1.
 *     true: from T-1 to 0, the state before step t lies in slot t+1 and the state after it in slot t
 * @param mask [T,N], 0 where a step is masked: the row then keeps the state it has; null when every step is live
 * @param recurrentDropout what Wh sees of the state before a step: those channels of a row that this keeps, scaled, and the
 *     same ones at every step; the states themselves stay whole. Null for all of them
 */
public record SimpleRnnPass(Activation activation, boolean reverse, IntTensor mask, Dropout recurrentDropout) {
    /** Throws {@link IllegalArgumentException} for a recurrent dropout that is not variational. */
    public SimpleRnnPass {
        if (recurrentDropout != null && !recurrentDropout.variational()) {
            throw new IllegalArgumentException(
                    "SimpleRnnPass: recurrent dropout must be variational, the same channels at every step, but is "
                            + recurrentDropout + ".");
        }
    }

    /** A walk without dropout. */
    public SimpleRnnPass(Activation activation, boolean reverse, IntTensor mask) {
        this(activation, reverse, mask, null);
    }

    /** The slot of a [T+1,N,H] buffer that holds the state before the first step that runs. */
    public int initialSlot(int steps) {
        return reverse ? steps : 0;
    }

    /** The slot of a [T+1,N,H] buffer that holds the state after the last step that runs. */
    public int finalSlot(int steps) {
        return reverse ? 0 : steps;
    }

    /** The slots that belong to steps 0..T-1, as a view [T,N,H] of a buffer [T+1,N,H]. */
    public Tensor outputs(Tensor states) {
        return states.slice(reverse ? 0 : 1, states.shape().extent(0) - 1);
    }
}
