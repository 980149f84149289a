package dev.elman.cpu;

import dev.elman.backend.Dropout;
import java.util.Arrays;

/** The factors m [N,H] of a recurrent dropout, the same at every step. */
final class RecurrentDropout {
    private final float[] factors;

    RecurrentDropout(Dropout dropout, int rows, int width) {
        this.factors = new float[rows * width];
        Drop drop = new Drop(dropout, rows, rows, width);
        float[] piece = new float[Drop.PIECE];
        long[][] words = new long[Philox.WORDS][Philox.COUNTERS];
        for (int number = 0; number < drop.pieces(); number++) {
            Arrays.fill(piece, 1);
            drop.apply(number, piece, words);
            drop.runs(number, (element, at, count) -> System.arraycopy(piece, at, factors, element, count));
        }
    }

    /** m times a share of a slot of {@code from}, into a slot of {@code to}; a slot begins at a row of [any,H]. */
    void apply(Share share, CpuTensor from, int fromSlot, CpuTensor to, int toSlot, Scratch scratch) {
        float[] values = scratch.floats(0, share.columns());
        for (int row = 0; row < share.rows(); row++) {
            from.read(share.begin(fromSlot, row), values, share.columns());
            apply(share.begin(0, row), values, share.columns());
            to.write(share.begin(toSlot, row), values, share.columns());
        }
    }

    /** Multiplies the elements of [N,H] from {@code from} on; what is dropped is 0 whatever it was. */
    void apply(int from, float[] values, int count) {
        for (int i = 0; i < count; i++) {
            float factor = factors[from + i];
            values[i] = factor == 0 ? 0 : values[i] * factor;
        }
    }
}
