package dev.elman.contract;

import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Something that may be wrong with a backend; each is a mistake that somebody makes.
 *
 * @param quantity where it must be found, whatever else it upsets
 * @param operations the calls that it befalls, and so the operations whose checks must find it
 */
record Fault(String name, String quantity, Set<String> operations, Mistake mistake) {
    /** What happens instead of the call, or around it. The caller gets what the last sound call in it answered. */
    @FunctionalInterface
    interface Mistake {
        void make(FaultyBackend.Call call) throws Throwable;
    }

    static List<Fault> all() {
        return Stream.of(RnnFaults.ALL, LayerFaults.ALL, TrainingFaults.ALL, MemoryFaults.ALL, RefusalFaults.ALL)
                .flatMap(List::stream)
                .toList();
    }

    /** The next number after the first element. */
    static void nudge(Tensor y) {
        Tensor first = y.view(0, Shape.of(1));
        if (y.shape().size() > 0) first.set(Math.nextUp(first.toDoubles()[0]));
    }

    @Override
    public String toString() {
        return name;
    }
}
