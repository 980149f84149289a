package dev.elman.cpu;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;
import dev.elman.backend.SimpleRnnPass;

/**
 * One pass of Elman's recurrence over a sequence: its sizes, the order of its steps, and where things lie in [T,N,D] inputs
 * and [T+1,N,H] states. A step has a number, in the order in which steps run, and t, where it stands in the sequence.
 *
 * @param reverse whether the steps run from T-1 to 0; the state before step t then lies in slot t+1, else in slot t
 * @param mask [T,N]; null for none
 * @param dropout null for none; and then what Wh sees are the states themselves
 */
record Recurrence(
        Operands.Rnn sizes, Activation activation, boolean reverse, CpuIntTensor mask, RecurrentDropout dropout) {
    private static final long LARGE_WEIGHTS = 1 << 20;

    static Recurrence of(Operands.Rnn sizes, SimpleRnnPass pass, CpuIntTensor mask) {
        RecurrentDropout dropout = pass.recurrentDropout() == null
                ? null
                : new RecurrentDropout(pass.recurrentDropout(), sizes.n(), sizes.h());
        return new Recurrence(sizes, pass.activation(), pass.reverse(), mask, dropout);
    }

    /** Parameters or their gradients: [D,H], [H,H] and [H]; b may be null. */
    record Weights(Matrix wx, Matrix wh, CpuTensor b) {
        static Weights of(Operands.Rnn sizes, CpuTensor wx, CpuTensor wh, CpuTensor b) {
            return new Weights(wx.matrix(sizes.d(), sizes.h()), wh.matrix(sizes.h(), sizes.h()), b);
        }
    }

    /** Nothing to compute but what has no elements. */
    boolean empty() {
        return sizes.t() == 0 || sizes.n() == 0 || sizes.h() == 0;
    }

    /** Where step number {@code step} stands. */
    int time(int step) {
        return reverse ? sizes.t() - 1 - step : step;
    }

    /** Whether Wx, of 4 MB and more, is so large that it should not lie ready beside Wh. */
    boolean inputsApart() {
        return (long) sizes.d() * sizes.h() >= LARGE_WEIGHTS;
    }

    /** The step that runs before step t; -1 or T before the first. */
    int previous(int t) {
        return reverse ? t + 1 : t - 1;
    }

    /** In a matrix of states, the first row of the slot before step t. */
    int before(int t) {
        return slot(reverse ? t + 1 : t);
    }

    /** In a matrix of states, the first row of the slot after step t. */
    int after(int t) {
        return slot(reverse ? t : t + 1);
    }

    /** The first row of a slot, or of a step of the inputs. */
    int slot(int slot) {
        return slot * sizes.n();
    }

    /** Whether row n takes part in step t, in a pass with a mask. */
    boolean live(int t, int n) {
        return mask.get(t * sizes.n() + n) != 0;
    }

    /** The states before the first step. */
    Matrix firstStates(CpuTensor states) {
        return states(states).rows(before(time(0)), sizes.n());
    }

    /** T*N. */
    int rows() {
        return sizes.t() * sizes.n();
    }

    /** The same, four at least for each step: a product of fewer takes as long. */
    long countedRows() {
        return (long) sizes.t() * Math.max(4, sizes.n());
    }

    Matrix states(CpuTensor tensor) {
        return tensor.matrix((sizes.t() + 1) * sizes.n(), sizes.h());
    }

    Matrix inputs(CpuTensor tensor) {
        return tensor.matrix(rows(), sizes.d());
    }
}
