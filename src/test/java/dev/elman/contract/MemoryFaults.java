package dev.elman.contract;

import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;

/** What may be wrong with any operation: where it writes and what it leaves. */
final class MemoryFaults {
    static final List<Fault> ALL = List.of(
            new Fault("data gradient added", "dx", Set.of("denseBackward"), call -> {
                Tensor dx = call.tensor(3);
                if (dx == null) {
                    call.proceed();
                    return;
                }
                double[] before = dx.toDoubles();
                call.proceed();
                double[] after = dx.toDoubles();
                for (int i = 0; i < after.length; i++) after[i] += before[i];
                dx.set(after);
            }),
            new Fault("one NaN", "y", Set.of("denseForward"), call -> {
                call.proceed();
                Tensor y = call.tensor(3);
                if (y.shape().size() > 50) y.view(50, Shape.of(1)).set(Double.NaN);
            }),
            new Fault("products of few digits", "y", Set.of("denseForward"), call -> {
                Tensor x = call.tensor(0);
                double[] values = x.toDoubles();
                // As with TF32: ten bits behind the point.
                x.set(Arrays.stream(values).map(MemoryFaults::tenBits).toArray());
                call.proceed();
                x.set(values);
            }),
            new Fault("input scaled in place", "inputs unchanged", Set.of("denseForward"), call -> {
                call.proceed();
                Tensor x = call.tensor(0);
                if (x.shape().size() > 0) Fault.nudge(x);
            }),
            outside("writes outside", "embeddingForward", 2, there -> 0),
            outside("adds outside", "linearForward", 3, there -> (float) there + .5f),
            new Fault("leak", "no tensor left open", Set.of("axpy"), call -> {
                call.proceed();
                call.sound().allocate(Shape.of(1));
            }),
            new Fault("last bit at random", "same bits when repeated", Set.of("denseBackward"), call -> {
                call.proceed();
                boolean odd = call.memory() != null;
                call.remember(odd ? null : "odd");
                Tensor dw = call.tensor(4);
                if (odd && dw.shape().size() > 0) Fault.nudge(dw);
            }),
            new Fault("new memory is garbage", "zeros", Set.of("allocate"), call -> {
                Tensor allocated = (Tensor) call.proceed();
                if (allocated.shape().size() > 0) call.sound().fill(allocated, .5);
            }),
            new Fault("throws", "no exception", Set.of("clipValue"), call -> {
                throw new UnsupportedOperationException("not here");
            }));

    private MemoryFaults() {}

    /** Something happens behind y, which is the operand of this number and the latest allocation. */
    private static Fault outside(String name, String operation, int y, DoubleUnaryOperator change) {
        return new Fault(name, "nothing written outside", Set.of("allocate", operation), call -> {
            Object answer = call.proceed();
            if (call.operation().equals("allocate")) {
                call.remember(answer);
                return;
            }
            Tensor written = call.tensor(y);
            if (written.shape().size() > 0) changeBehind((Tensor) call.memory(), written, change);
        });
    }

    /** Changes the element after the last one of y, the latest view of the latest allocation. */
    private static void changeBehind(Tensor owner, Tensor y, DoubleUnaryOperator change) {
        double[] before = y.toDoubles();
        double mark = 0.123456789;
        y.view(0, Shape.of(1)).set(mark);
        double[] all = owner.toDoubles();
        y.set(before);
        for (int i = 0; i + before.length < all.length; i++) {
            int behind = i + before.length;
            if (all[i] == mark) owner.view(behind, Shape.of(1)).set(change.applyAsDouble(all[behind]));
        }
    }

    private static double tenBits(double value) {
        return Float.intBitsToFloat((Float.floatToIntBits((float) value) + 0x1000) & 0xFFFFE000);
    }
}
