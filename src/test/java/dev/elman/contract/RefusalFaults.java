package dev.elman.contract;

import dev.elman.backend.IntTensor;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.Tensor;
import java.util.List;
import java.util.Set;
import java.util.function.BiPredicate;

/** What may be wrong with any operation that is given what it must not take: it takes it, or refuses it badly. */
final class RefusalFaults {
    private static final String SHAPES = "wrong shapes refused";
    private static final String EXPLAINED = "wrong shapes explained";
    private static final String CLOSED = "closed operands refused";
    private static final String FOREIGN = "foreign operands refused";
    private static final String UNTOUCHED = "nothing written by a refused call";

    static final List<Fault> ALL = List.of(
            onMismatch("shapes not checked", SHAPES, (call, e) -> call.remember(e)),
            onMismatch("rows of the first operand not checked", SHAPES, (call, e) -> {
                Tensor x = call.tensor(0);
                IntTensor keep = call.ints(1);
                Tensor y = call.tensor(2);
                boolean rest = y.shape().equals(x.shape().withFirst(keep.shape().extent(0)));
                if (!rest || x.shape().equals(y.shape())) throw e;
            }),
            onMismatch("a wrong shape is a wrong index", SHAPES, (call, e) -> {
                throw new ArrayIndexOutOfBoundsException();
            }),
            onMismatch("a refusal of another operation", EXPLAINED, saying("maskRows: ", "mask: ")),
            onMismatch("a refusal that names no operand", EXPLAINED, saying(": \\w+ must", ": it must")),
            onMismatch("a refusal with another shape", EXPLAINED, saying("but is .*", "but is [].")),
            onMismatch("writes before it checks shapes", UNTOUCHED, (call, e) -> {
                call.sound().fill(call.tensor(2), .123);
                throw e;
            }),
            onClosed("closed memory used", CLOSED, (call, e) -> call.remember(e)),
            onClosed("closed memory read", CLOSED, (call, e) -> {
                if (isClosed(call.tensor(1))) throw e;
            }),
            onClosed("writes before it finds memory closed", UNTOUCHED, (call, e) -> {
                if (!isClosed(call.tensor(1))) call.sound().fill(call.tensor(1), .123);
                throw e;
            }),
            onForeign("foreign memory used", FOREIGN, (call, e) -> call.remember(e)),
            onForeign("foreign memory read", FOREIGN, (call, e) -> {
                if (isForeign(call, call.tensor(1))) throw e;
            }),
            onForeign("writes before it finds memory foreign", UNTOUCHED, (call, e) -> {
                if (!isForeign(call, call.tensor(1))) call.sound().fill(call.tensor(1), .123);
                throw e;
            }),
            new Fault(
                    "works on after close", "use after close refused", Set.of("close"), call -> call.remember("open")),
            misfit("two activations in a layer", (one, other) -> one.activation() != other.activation()),
            misfit("two masks in a layer", (one, other) -> one.mask() != other.mask()),
            misfit("two directions of one way", (one, other) -> one.reverse() == other.reverse()));

    private RefusalFaults() {}

    /** What is made of a refusal. */
    private interface Instead<E> {
        void make(FaultyBackend.Call call, E refusal) throws Throwable;
    }

    private static Fault onMismatch(String name, String quantity, Instead<ShapeMismatchException> instead) {
        return onRefusal(name, quantity, Set.of("maskRows"), ShapeMismatchException.class, instead);
    }

    private static Fault onClosed(String name, String quantity, Instead<IllegalStateException> instead) {
        return onRefusal(name, quantity, Set.of("copy"), IllegalStateException.class, instead);
    }

    private static Fault onForeign(String name, String quantity, Instead<IllegalArgumentException> instead) {
        return onRefusal(name, quantity, Set.of("copy"), IllegalArgumentException.class, instead);
    }

    /** @param type of the refusal, and of none of its subclasses */
    private static <E extends RuntimeException> Fault onRefusal(
            String name, String quantity, Set<String> operations, Class<E> type, Instead<E> instead) {
        return new Fault(name, quantity, operations, call -> {
            try {
                call.proceed();
            } catch (RuntimeException e) {
                if (e.getClass() != type) throw e;
                instead.make(call, type.cast(e));
            }
        });
    }

    private static Instead<ShapeMismatchException> saying(String pattern, String instead) {
        return (call, e) -> {
            throw new IllegalArgumentException(e.getMessage().replaceFirst(pattern, instead));
        };
    }

    private static boolean isClosed(Tensor tensor) {
        try {
            tensor.toDoubles();
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }

    private static boolean isForeign(FaultyBackend.Call call, Tensor tensor) {
        try (Tensor ours = call.sound().allocate(tensor.shape())) {
            call.sound().axpy(0, ours, tensor);
            return false;
        } catch (IllegalArgumentException e) {
            return true;
        }
    }

    /** A layer whose directions do not fit each other in this is taken. */
    private static Fault misfit(String name, BiPredicate<SimpleRnnPass, SimpleRnnPass> taken) {
        Set<String> operations = Set.of("bidirectionalForward", "bidirectionalBackward");
        return onRefusal(name, "misfits refused", operations, IllegalArgumentException.class, (call, e) -> {
            if (!taken.test(pass(call, 0), pass(call, 1))) throw e;
        });
    }

    private static SimpleRnnPass pass(FaultyBackend.Call call, int index) {
        return call.operation().equals("bidirectionalForward")
                ? call.argument(index, SimpleRnnForward.class).pass()
                : call.argument(index, SimpleRnnBackward.class).forward().pass();
    }
}
