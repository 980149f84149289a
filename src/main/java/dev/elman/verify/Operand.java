package dev.elman.verify;

import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.Arrays;

/**
 * One tensor of a call, in the middle of a larger allocation whose rest holds sentinels. Ints are handled as the doubles
 * they are.
 */
final class Operand {
    /** A number that no computation comes upon; exact as float and as int, and so small that it is another once something is added. */
    private static final double SENTINEL = -1235;

    private static final int BEHIND = 40;

    private final String name;
    private final Shape shape;
    private final int front;
    private final double[] before;
    private final Tensor reals;
    private final IntTensor ints;
    private Tolerance tolerance = Tolerance.EXACT;
    private boolean output;
    private boolean replaced;
    private int fixedFrom;
    private int fixedTo;

    private Operand(String name, Shape shape, int front, double[] before, Tensor reals, IntTensor ints) {
        this.name = name;
        this.shape = shape;
        this.front = front;
        this.before = before;
        this.reals = reals;
        this.ints = ints;
        this.fixedTo = before.length;
    }

    /** A tensor that the call must leave as it is. */
    static Operand of(String name, Tensor owner, int front, Shape shape, double[] values) {
        owner.set(surrounded(front, values));
        return new Operand(name, shape, front, values, owner, null);
    }

    static Operand of(String name, IntTensor owner, int front, Shape shape, double[] values) {
        owner.set(Arrays.stream(surrounded(front, values))
                .mapToInt(value -> (int) value)
                .toArray());
        return new Operand(name, shape, front, values, null, owner);
    }

    /** The allocation that a tensor of this shape takes. */
    static Shape allocation(int front, Shape shape) {
        return Shape.of(front + Math.toIntExact(shape.size()) + BEHIND);
    }

    private static double[] surrounded(int front, double[] values) {
        double[] all = new double[front + values.length + BEHIND];
        Arrays.fill(all, SENTINEL);
        System.arraycopy(values, 0, all, front, values.length);
        return all;
    }

    /** From now on something that the call writes, except for the elements from {@code from} to before {@code to}. */
    void writable(Tolerance allowed, int from, int to) {
        output = true;
        tolerance = allowed;
        fixedFrom = from;
        fixedTo = to;
    }

    /** As above; but what was here before has no part in the sums. */
    void replaceable(Tolerance allowed) {
        writable(allowed, 0, 0);
        replaced = true;
    }

    Tensor tensor() {
        return reals.view(front, shape);
    }

    IntTensor intTensor() {
        return ints.view(front, shape);
    }

    String name() {
        return name;
    }

    Shape shape() {
        return shape;
    }

    double[] values() {
        return inside(memory());
    }

    private double[] inside(double[] memory) {
        return Arrays.copyOfRange(memory, front, front + before.length);
    }

    private double[] memory() {
        if (reals != null) return reals.toDoubles();
        return Arrays.stream(ints.toInts()).asDoubleStream().toArray();
    }

    /** Judges what the call left here by what it left in the same operand of the reference. */
    void judge(Operand reference, boolean nonFinite, Findings findings) {
        double[] memory = memory();
        double[] after = inside(memory);
        intact(memory, findings);
        unchanged(after, findings);
        if (output) {
            findings.compare(name, reference.values(), after, replaced ? null : before, tolerance, nonFinite);
        }
    }

    /** Judges that a call which was refused wrote nothing at all. */
    void judgeUntouched(Findings findings) {
        double[] memory = memory();
        intact(memory, findings);
        int at = Arrays.mismatch(before, inside(memory));
        if (at < 0) return;
        findings.require("nothing written by a refused call", false, "element " + at + " of " + name + " changed");
    }

    private void intact(double[] memory, Findings findings) {
        for (int i = 0; i < memory.length; i++) {
            boolean outside = i < front || i >= front + before.length;
            if (outside && memory[i] != SENTINEL) {
                findings.require(
                        "nothing written outside",
                        false,
                        "element " + (i - front) + " of " + name + ", outside its " + before.length + ", became "
                                + memory[i]);
                return;
            }
        }
    }

    private void unchanged(double[] after, Findings findings) {
        int beyond = Arrays.mismatch(before, fixedFrom, fixedTo, after, fixedFrom, fixedTo);
        if (beyond < 0) return;
        int at = fixedFrom + beyond;
        findings.require(
                "inputs unchanged",
                false,
                "element " + at + " of " + name + " was " + before[at] + " and became " + after[at]);
    }

    void close() {
        if (reals != null) reals.close();
        if (ints != null) ints.close();
    }
}
