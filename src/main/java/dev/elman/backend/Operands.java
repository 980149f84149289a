package dev.elman.backend;

/**
 * The shape checks of every operation, written once for all backends, which alone need them. Each method checks the
 * operands of the {@link Backend} or {@link Tensor} method of the same name, throws as is said there, and returns the sizes
 * by their letters.
 */
public final class Operands {
    /** Behind the names of the second direction's operands. */
    private static final String OTHER = " of the other direction";

    private Operands() {}

    /** Batch rows, steps, input features and hidden nodes of one recurrence. */
    public record Rnn(int n, int t, int d, int h) {}

    /** Rows and the columns before and after. */
    public record Dense(int m, int d, int k) {}

    /** Steps, batch rows, channels. */
    public record Sequence(int t, int n, int c) {}

    /** Ids and the length of the vector that each of them names. */
    public record Embedding(int m, int d) {}

    /** Rows and classes. */
    public record Logits(int m, int k) {}

    /** Steps and batch rows. */
    public record Mask(int t, int n) {}

    /** Rows and columns. */
    public record Matrix(int m, int c) {}

    /** Checks that a view of shape {@code inner} from element {@code offset} on stays within {@code outer}. */
    public static void view(Shape outer, long offset, Shape inner) {
        if (offset < 0 || inner.size() > outer.size() - offset) {
            throw new IndexOutOfBoundsException(
                    "A view " + inner + " at element " + offset + " reaches beyond its origin " + outer + ".");
        }
    }

    /** Checks that so many values are all elements of a tensor. */
    public static void set(Shape shape, int length) {
        if (length != shape.size()) {
            throw new ShapeMismatchException("set", "the array", "of length " + shape.size() + " for " + shape, length);
        }
    }

    /** N, T, D and H from x [T,N,D] and Wh [H,H]; h must be [T+1,N,H]. Bias and mask may be null. */
    public static Rnn simpleRnnForward(SimpleRnnForward one) {
        return forward("simpleRnnForward", "", one);
    }

    private static Rnn forward(String operation, String whose, SimpleRnnForward one) {
        rank(operation, "x" + whose, "[T,N,D]", 3, one.x().shape());
        rank(operation, "wh" + whose, "[H,H]", 2, one.weights().wh().shape());
        int t = one.x().shape().extent(0);
        int n = one.x().shape().extent(1);
        int d = one.x().shape().extent(2);
        int hidden = one.weights().wh().shape().extent(0);
        weights(operation, "", whose, one.weights(), d, hidden);
        exact(
                operation,
                "h" + whose,
                "[T+1,N,H]",
                Shape.of(t + 1, n, hidden),
                one.h().shape());
        mask(operation, one.pass().mask(), t, n);
        // Products over all steps have T*N rows.
        count((long) t * n);
        return new Rnn(n, t, d, hidden);
    }

    /** As forward; dh must be [T+1,N,H], dx may be null, and the gradients have a bias exactly where the weights have one. */
    public static Rnn simpleRnnBackward(SimpleRnnBackward one) {
        return backward("simpleRnnBackward", "", one);
    }

    private static Rnn backward(String operation, String whose, SimpleRnnBackward one) {
        Rnn sizes = forward(operation, whose, one.forward());
        exact(
                operation,
                "dh" + whose,
                "[T+1,N,H]",
                one.forward().h().shape(),
                one.dh().shape());
        if (one.dx() != null) {
            exact(
                    operation,
                    "dx" + whose,
                    "[T,N,D]",
                    one.forward().x().shape(),
                    one.dx().shape());
        }
        weights(operation, "d", whose, one.gradients(), sizes.d, sizes.h);
        if ((one.gradients().b() == null) != (one.forward().weights().b() == null)) {
            throw new IllegalArgumentException(
                    operation + ": weights and gradients" + whose + " must both have a bias, or neither.");
        }
        return sizes;
    }

    /** N, T, D and H of two directions that fit each other. */
    public static Rnn bidirectionalForward(SimpleRnnForward one, SimpleRnnForward other) {
        String operation = "bidirectionalForward";
        Rnn sizes = forward(operation, "", one);
        fit(operation, one, other);
        forward(operation, OTHER, other);
        return sizes;
    }

    /** The same on the way back. */
    public static Rnn bidirectionalBackward(SimpleRnnBackward one, SimpleRnnBackward other) {
        String operation = "bidirectionalBackward";
        Rnn sizes = backward(operation, "", one);
        fit(operation, one.forward(), other.forward());
        backward(operation, OTHER, other);
        return sizes;
    }

    private static void fit(String operation, SimpleRnnForward one, SimpleRnnForward other) {
        exact(operation, "x" + OTHER, "[T,N,D]", one.x().shape(), other.x().shape());
        exact(
                operation,
                "wh" + OTHER,
                "[H,H]",
                one.weights().wh().shape(),
                other.weights().wh().shape());
        SimpleRnnPass first = one.pass();
        SimpleRnnPass second = other.pass();
        if (first.reverse() == second.reverse()) {
            throw new IllegalArgumentException(operation + ": one direction must be reverse and the other not.");
        }
        if (first.activation() != second.activation() || first.mask() != second.mask()) {
            throw new IllegalArgumentException(operation + ": both directions must have one activation and one mask.");
        }
    }

    private static void weights(String operation, String prefix, String whose, SimpleRnnWeights weights, int d, int h) {
        exact(
                operation,
                prefix + "wx" + whose,
                "[D,H]",
                Shape.of(d, h),
                weights.wx().shape());
        exact(
                operation,
                prefix + "wh" + whose,
                "[H,H]",
                Shape.of(h, h),
                weights.wh().shape());
        if (weights.b() != null) {
            exact(
                    operation,
                    prefix + "b" + whose,
                    "[H]",
                    Shape.of(h),
                    weights.b().shape());
        }
    }

    private static void mask(String operation, IntTensor mask, int t, int n) {
        if (mask != null) exact(operation, "mask", "[T,N]", Shape.of(t, n), mask.shape());
    }

    /** M, all elements of the ids whatever their shape, and D. The ids themselves are not looked at. */
    public static Embedding embeddingForward(Tensor table, IntTensor ids, Tensor y) {
        return embedding("embeddingForward", "table", table, ids, "y", y);
    }

    /** M and D, as forward. The ids themselves are not looked at. */
    public static Embedding embeddingBackward(IntTensor ids, Tensor dy, Tensor dTable) {
        return embedding("embeddingBackward", "dTable", dTable, ids, "dy", dy);
    }

    private static Embedding embedding(
            String operation, String tableName, Tensor table, IntTensor ids, String name, Tensor y) {
        rank(operation, tableName, "[V,D]", 2, table.shape());
        int m = count(ids.shape().size());
        int d = table.shape().extent(1);
        rows(operation, name, "[M,D]", m, d, y.shape());
        return new Embedding(m, d);
    }

    /** M, all extents of x but the last multiplied, D and K; w is [D,K], b may be null. */
    public static Dense denseForward(Tensor x, Tensor w, Tensor b, Tensor y) {
        return dense("denseForward", "", false, x, w, b, y);
    }

    /** M, D and K, as forward; dx and db may be null. */
    public static Dense denseBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        return denseGradients("denseBackward", false, x, w, dy, dx, dw, db);
    }

    /** As {@link #denseForward} with w [K,D]. */
    public static Dense linearForward(Tensor x, Tensor w, Tensor b, Tensor y) {
        return dense("linearForward", "", true, x, w, b, y);
    }

    /** As {@link #denseBackward} with w and dw [K,D]. */
    public static Dense linearBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        return denseGradients("linearBackward", true, x, w, dy, dx, dw, db);
    }

    private static Dense dense(
            String operation, String prefix, boolean transposed, Tensor x, Tensor w, Tensor b, Tensor y) {
        rank(operation, "w", weightLetters(transposed), 2, w.shape());
        int d = w.shape().extent(transposed ? 1 : 0);
        int k = w.shape().extent(transposed ? 0 : 1);
        int m = rowCount(x.shape());
        rows(operation, "x", "[M,D]", m, d, x.shape());
        rows(operation, prefix + "y", "[M,K]", m, k, y.shape());
        if (b != null) exact(operation, prefix + "b", "[K]", Shape.of(k), b.shape());
        return new Dense(m, d, k);
    }

    private static Dense denseGradients(
            String operation, boolean transposed, Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        Dense sizes = dense(operation, "d", transposed, x, w, db, dy);
        exact(operation, "dw", weightLetters(transposed), w.shape(), dw.shape());
        if (dx != null) rows(operation, "dx", "[M,D]", sizes.m, sizes.d, dx.shape());
        return sizes;
    }

    private static String weightLetters(boolean transposed) {
        return transposed ? "[K,D]" : "[D,K]";
    }

    /** T, N and C of x; the mask may be null, and argmax is there for MAX and null for others. */
    public static Sequence poolForward(Pooling pooling, Tensor x, IntTensor mask, Tensor y, IntTensor argmax) {
        return pool("poolForward", "", pooling, x, mask, y, argmax);
    }

    /** T, N and C of dx, as forward. */
    public static Sequence poolBackward(Pooling pooling, Tensor dy, IntTensor mask, IntTensor argmax, Tensor dx) {
        return pool("poolBackward", "d", pooling, dx, mask, dy, argmax);
    }

    private static Sequence pool(
            String operation, String prefix, Pooling pooling, Tensor x, IntTensor mask, Tensor y, IntTensor argmax) {
        rank(operation, prefix + "x", "[T,N,C]", 3, x.shape());
        int t = x.shape().extent(0);
        int n = x.shape().extent(1);
        int c = x.shape().extent(2);
        exact(operation, prefix + "y", "[N,C]", Shape.of(n, c), y.shape());
        mask(operation, mask, t, n);
        if ((argmax != null) != (pooling == Pooling.MAX)) {
            throw new IllegalArgumentException(
                    operation + ": argmax goes with MAX and only with MAX, not " + pooling + ".");
        }
        if (argmax != null) exact(operation, "argmax", "[N,C]", Shape.of(n, c), argmax.shape());
        return new Sequence(t, n, c);
    }

    /** T, N and C; x [N,C] counts as T = 1, and other ranks than 2 and 3 are refused. */
    public static Sequence dropout(Tensor x, Tensor y) {
        exact("dropout", "y", "the shape of x", x.shape(), y.shape());
        int rank = x.shape().rank();
        if (rank != 2) rank("dropout", "x", "[T,N,C] or [N,C]", 3, x.shape());
        return new Sequence(
                rank == 2 ? 1 : x.shape().extent(0),
                x.shape().extent(-2),
                x.shape().extent(-1));
    }

    /** M, all extents of x but the last multiplied, and K. */
    public static Logits softmax(Tensor x, Tensor y) {
        exact("softmax", "y", "the shape of x", x.shape(), y.shape());
        return logits("softmax", "x", x);
    }

    /** M and K; labels may have any shape of M elements and are not looked at, smoothing is at least 0 and below 1. */
    public static Logits softmaxCrossEntropy(
            Tensor logits, IntTensor labels, double smoothing, Tensor metrics, Tensor dLogits) {
        String operation = "softmaxCrossEntropy";
        Logits sizes = logits(operation, "logits", logits);
        exact(
                operation,
                "labels",
                "[M]",
                Shape.of(sizes.m),
                Shape.of(count(labels.shape().size())));
        exact(operation, "metrics", "[2]", Shape.of(2), metrics.shape());
        exact(operation, "dLogits", "the shape of the logits", logits.shape(), dLogits.shape());
        if (!(smoothing >= 0 && smoothing < 1)) {
            throw new IllegalArgumentException(
                    operation + ": smoothing must be at least 0 and below 1, but is " + smoothing + ".");
        }
        return sizes;
    }

    private static Logits logits(String operation, String operand, Tensor x) {
        Matrix sizes = matrix(operation, operand, x);
        return new Logits(sizes.m, sizes.c);
    }

    /** Rows M and columns of x; {@code keep} may have any shape of M elements. */
    public static Matrix maskRows(Tensor x, IntTensor keep, Tensor y) {
        exact("maskRows", "y", "the shape of x", x.shape(), y.shape());
        Matrix sizes = matrix("maskRows", "x", x);
        exact(
                "maskRows",
                "keep",
                "[M]",
                Shape.of(sizes.m),
                Shape.of(count(keep.shape().size())));
        return sizes;
    }

    /** T and N. */
    public static Mask seenSteps(IntTensor mask, IntTensor seen) {
        rank("seenSteps", "mask", "[T,N]", 2, mask.shape());
        exact("seenSteps", "seen", "[T,N]", mask.shape(), seen.shape());
        return new Mask(mask.shape().extent(0), mask.shape().extent(1));
    }

    /** Returns the number of rows. */
    public static int copyColumns(Tensor x, int fromX, Tensor y, int fromY, int columns) {
        int m = matrix("copyColumns", "x", x).m;
        if (matrix("copyColumns", "y", y).m != m) {
            throw new ShapeMismatchException("copyColumns", "y", "[M,B] with M = " + m + " as in x", y.shape());
        }
        columnRange("x", fromX, columns, x.shape().extent(-1));
        columnRange("y", fromY, columns, y.shape().extent(-1));
        return m;
    }

    private static void columnRange(String operand, int from, int columns, int width) {
        if (from < 0 || columns < 0 || from > width - columns) {
            throw new IllegalArgumentException("copyColumns: columns " + from + " to " + (from + columns) + " of "
                    + operand + " must lie within its " + width + " columns.");
        }
    }

    /** Checks that tensors have one size, whatever their shapes, and returns it. */
    public static long sameSize(String operation, Tensor first, Tensor... others) {
        long size = first.shape().size();
        for (Tensor other : others) {
            if (other.shape().size() != size) {
                throw new ShapeMismatchException(
                        operation, "every operand", "of the size of the first, " + first.shape(), other.shape());
            }
        }
        return size;
    }

    /** Checks the operands of {@link Backend#clipGlobalNorm}. */
    public static void clipGlobalNorm(double maxNorm, Tensor norm) {
        exact("clipGlobalNorm", "norm", "[1]", Shape.of(1), norm.shape());
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("clipGlobalNorm: maxNorm must be positive, but is " + maxNorm + ".");
        }
    }

    /** Checks the operand of {@link Backend#constrain}: rows and columns. */
    public static Matrix constrain(Tensor w) {
        if (w.shape().rank() == 1) return new Matrix(w.shape().extent(0), 1);
        rank("constrain", "w", "[D,K] or [K]", 2, w.shape());
        return matrix("constrain", "w", w);
    }

    /** Checks the operands of {@link Backend#clipValue}. */
    public static void clipValue(double limit) {
        if (!(limit > 0)) {
            throw new IllegalArgumentException("clipValue: limit must be positive, but is " + limit + ".");
        }
    }

    /** Checks that tensors have one size, which it returns, and that momentum has a velocity to live in, which may else be null. */
    public static long sgdStep(SgdStep step, Tensor w, Tensor g, Tensor velocity) {
        if (velocity != null) return sameSize("sgdStep", w, g, velocity);
        if (step.momentum() != 0) {
            throw new IllegalArgumentException(
                    "sgdStep: momentum " + step.momentum() + " needs a velocity tensor of the size of w.");
        }
        return sameSize("sgdStep", w, g);
    }

    private static Matrix matrix(String operation, String operand, Tensor x) {
        if (x.shape().rank() < 1) {
            throw new ShapeMismatchException(
                    operation, operand, "of rank 1 or more, its last extent the columns", x.shape());
        }
        return new Matrix(rowCount(x.shape()), x.shape().extent(-1));
    }

    /** All extents but the last, multiplied. */
    private static int rowCount(Shape shape) {
        long rows = 1;
        for (int axis = 0; axis < shape.rank() - 1; axis++) rows *= shape.extent(axis);
        return count(rows);
    }

    private static int count(long rows) {
        if (rows > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("An operation takes at most " + Integer.MAX_VALUE
                    + " rows, but here are " + rows + "; take fewer at a time.");
        }
        return (int) rows;
    }

    private static void rows(String operation, String operand, String letters, int rows, int columns, Shape given) {
        if (given.rank() < 1 || given.extent(-1) != columns || rowCount(given) != rows) {
            throw mismatch(operation, operand, letters, Shape.of(rows, columns), given);
        }
    }

    private static void rank(String operation, String operand, String letters, int rank, Shape given) {
        if (given.rank() != rank) throw new ShapeMismatchException(operation, operand, letters, given);
    }

    private static void exact(String operation, String operand, String letters, Shape expected, Shape given) {
        if (!given.equals(expected)) throw mismatch(operation, operand, letters, expected, given);
    }

    private static ShapeMismatchException mismatch(
            String operation, String operand, String letters, Shape expected, Shape given) {
        return new ShapeMismatchException(operation, operand, letters + " = " + expected, given);
    }
}
