package dev.elman.verify;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;

/**
 * What is made wrong on purpose with one operand of a {@link Trial}.
 *
 * @param operand its number in the order of asking, or -1
 * @param axis this extent is one larger than asked for; -1 leaves the shape alone
 * @param foreign its memory comes from this backend; null leaves it where it belongs
 */
record Tampering(int operand, int axis, Backend foreign) {
    static final Tampering NONE = new Tampering(-1, -1, null);

    Shape shape(int index, Shape asked) {
        if (index != operand || axis < 0) return asked;
        int[] extents = new int[asked.rank()];
        for (int i = 0; i < extents.length; i++) extents[i] = asked.extent(i) + (i == axis ? 1 : 0);
        return Shape.of(extents);
    }

    Backend backend(int index, Backend usual) {
        return index == operand && foreign != null ? foreign : usual;
    }
}
