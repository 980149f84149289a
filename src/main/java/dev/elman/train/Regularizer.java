package dev.elman.train;

/**
 * A penalty l1 * sum |w| + l2 * sum w², as Keras adds it to the loss. Only its gradient is added here: the loss that is
 * reported stays the data's own. (PyTorch's weight_decay d is l2 = d / 2, and each optimizer here has it, too.)
 *
 * @param l1 at least 0
 * @param l2 at least 0
 */
public record Regularizer(double l1, double l2) {
    /** Throws {@link IllegalArgumentException} for a factor that is negative, infinite or NaN. */
    public Regularizer {
        Require.below(Double.POSITIVE_INFINITY, "l1", l1);
        Require.below(Double.POSITIVE_INFINITY, "l2", l2);
    }

    /** l1 * sum |w|: drives weights to 0. */
    public static Regularizer l1(double factor) {
        return new Regularizer(factor, 0);
    }

    /** l2 * sum w²: keeps weights small. */
    public static Regularizer l2(double factor) {
        return new Regularizer(0, factor);
    }
}
