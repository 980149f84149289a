package dev.elman.cuda;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;

/**
 * One pass of Elman's recurrence over a sequence: its sizes, the order of its steps, and where everything lies on the
 * device. A pass forward reads x, Wx, Wh, b and the initial slot of the states and fills the others; a pass back reads Wh
 * and the states and works in place in their gradients, and the products over all steps need x and Wx again.
 *
 * @param reverse whether the steps run from T-1 to 0; the state before step t then lies in slot t+1, else in slot t
 * @param mask address of [T,N], 0 for none
 * @param factors address of the factors m [N,H] of recurrent dropout, 0 for none; {@link #beside} them is as much memory for
 *     the plan
 * @param wx address of [D,H]
 * @param wh address of [H,H]
 * @param transposedWh address of Wh^T, 0 where no plan has made it
 * @param b address of [H], 0 for none; not used by a pass back
 * @param x address of [T,N,D]
 * @param states address of [T+1,N,H]
 * @param gradients address of [T+1,N,H]; 0 in a pass forward
 */
record Recurrence(
        Operands.Rnn sizes,
        Activation activation,
        boolean reverse,
        long mask,
        long factors,
        long wx,
        long wh,
        long transposedWh,
        long b,
        long x,
        long states,
        long gradients) {
    /** The step that runs as number {@code run}, from 0. */
    int step(int run) {
        return reverse ? sizes.t() - 1 - run : run;
    }

    /** In a [T+1,N,H] buffer, the slot of the state before step t. */
    long before(long buffer, int t) {
        return slot(buffer, reverse ? t + 1 : t);
    }

    /** In a [T+1,N,H] buffer, the slot of the state after step t; after(buffer, 0) begins those of all steps, [T,N,H]. */
    long after(long buffer, int t) {
        return slot(buffer, reverse ? t : t + 1);
    }

    private long slot(long buffer, int slot) {
        return buffer + 4L * slot * sizes.n() * sizes.h();
    }

    /** Step t's row of the mask; 0 for none. */
    long mask(int t) {
        return mask == 0 ? 0 : mask + 4L * t * sizes.n();
    }

    /** With recurrent dropout, memory [N,H] for what m leaves of a state, or has not yet been applied to. */
    long beside() {
        return factors + 4L * sizes.n() * sizes.h();
    }

    /** The same with these factors. */
    Recurrence withFactors(long address) {
        return new Recurrence(sizes, activation, reverse, mask, address, wx, wh, transposedWh, b, x, states, gradients);
    }

    /** The same with Wh^T at an address too. */
    Recurrence withTransposedWh(long address) {
        return new Recurrence(sizes, activation, reverse, mask, factors, wx, wh, address, b, x, states, gradients);
    }

    /**
     * The steps from {@code from} on as a pass of their own, without what only all steps together need: x, Wx and D. Where
     * the steps before it are the same, equal passes have equal parts.
     */
    Recurrence part(int from, int length) {
        return new Recurrence(
                new Operands.Rnn(sizes.n(), length, 0, sizes.h()),
                activation,
                reverse,
                mask(from),
                factors,
                0,
                wh,
                transposedWh,
                b,
                0,
                slot(states, from),
                gradients == 0 ? 0 : slot(gradients, from));
    }

    /** T*N. */
    long rows() {
        return (long) sizes.t() * sizes.n();
    }
}
