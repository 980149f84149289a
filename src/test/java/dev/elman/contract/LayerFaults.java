package dev.elman.contract;

import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/** What may be wrong with embedding, pooling, dropout and masks. */
final class LayerFaults {
    static final List<Fault> ALL = List.of(
            new Fault("repeated id counts once", "dTable", Set.of("embeddingBackward"), call -> {
                IntTensor ids = call.ints(0);
                Tensor dy = call.tensor(1);
                Tensor table = call.tensor(2);
                int columns = table.shape().extent(1);
                int[] rows = ids.toInts();
                Set<Integer> met = new HashSet<>();
                for (int m = 0; m < rows.length; m++) {
                    Tensor row = table.view((long) rows[m] * columns, Shape.of(columns));
                    if (met.add(rows[m])) call.sound().axpy(1, dy.view((long) m * columns, Shape.of(columns)), row);
                }
            }),
            new Fault("last maximum takes all", "argmax", Set.of("poolForward"), call -> lastMaximum(call)),
            new Fault("mean over masked steps", "y", Set.of("poolForward"), call -> {
                call.proceed();
                Pooling pooling = call.argument(0, Pooling.class);
                Tensor x = call.tensor(1);
                IntTensor mask = call.ints(2);
                Tensor y = call.tensor(3);
                if (pooling != Pooling.MEAN || mask == null) return;
                int n = y.shape().extent(0);
                double[] mean = y.toDoubles();
                int[] live = mask.toInts();
                for (int i = 0; i < mean.length; i++) {
                    int row = i / y.shape().extent(1);
                    int count = 0;
                    for (int at = row; at < live.length; at += n) count += live[at] == 0 ? 0 : 1;
                    mean[i] *= (double) count / x.shape().extent(0);
                }
                y.set(mean);
            }),
            new Fault("square weights not transposed", "y", Set.of("linearForward"), call -> {
                Tensor w = call.tensor(1);
                if (w.shape().extent(0) == w.shape().extent(1)) {
                    call.sound().denseForward(call.tensor(0), w, call.tensor(2), call.tensor(3));
                } else {
                    call.proceed();
                }
            }),
            new Fault("a shared table loses its other gradient", "dw", Set.of("linearBackward"), call -> {
                call.sound().fill(call.tensor(4), 0);
                call.proceed();
            }),
            new Fault("dropout not scaled", "y", Set.of("dropout"), call -> {
                Dropout dropout = call.argument(0, Dropout.class);
                call.proceed();
                Tensor y = call.tensor(2);
                y.set(Arrays.stream(y.toDoubles())
                        .map(value -> value * (1 - dropout.rate()))
                        .toArray());
            }),
            withDropout(
                    "dropout ignores first row",
                    "y",
                    dropout -> new Dropout(dropout.rate(), dropout.seed(), 0, dropout.variational())),
            withDropout(
                    "dropout ignores the seed",
                    "seed",
                    dropout -> new Dropout(dropout.rate(), 1, dropout.firstRow(), dropout.variational())),
            withDropout(
                    "dropout drops too few",
                    "share",
                    dropout ->
                            new Dropout(dropout.rate() / 2, dropout.seed(), dropout.firstRow(), dropout.variational())),
            withDropout(
                    "dropout drops too many",
                    "share",
                    dropout -> new Dropout(
                            Math.sqrt(dropout.rate()), dropout.seed(), dropout.firstRow(), dropout.variational())),
            new Fault("rate 0 rounds", "y", Set.of("dropout"), call -> {
                call.proceed();
                if (call.argument(0, Dropout.class).rate() == 0) Fault.nudge(call.tensor(2));
            }),
            withDropout(
                    "variational dropout draws at each step",
                    "step 1",
                    dropout -> new Dropout(dropout.rate(), dropout.seed(), dropout.firstRow())),
            new Fault("seen only where live", "seen", Set.of("seenSteps"), call -> {
                IntTensor mask = call.ints(0);
                IntTensor seen = call.ints(2);
                seen.set(Arrays.stream(mask.toInts())
                        .map(live -> live == 0 ? 0 : 1)
                        .toArray());
            }));

    private LayerFaults() {}

    private static Fault withDropout(String name, String quantity, UnaryOperator<Dropout> mistake) {
        return new Fault(
                name,
                quantity,
                Set.of("dropout"),
                call -> call.with(0, mistake.apply(call.argument(0, Dropout.class)))
                        .proceed());
    }

    private static void lastMaximum(FaultyBackend.Call call) throws Throwable {
        call.proceed();
        Pooling pooling = call.argument(0, Pooling.class);
        if (pooling != Pooling.MAX) return;
        Tensor x = call.tensor(1);
        IntTensor mask = call.ints(2);
        IntTensor argmax = call.ints(4);
        int n = x.shape().extent(1);
        int size = n * x.shape().extent(2);
        double[] values = x.toDoubles();
        int[] live = mask == null ? null : mask.toInts();
        int[] last = argmax.toInts();
        for (int i = 0; i < size; i++) {
            for (int t = last[i] + 1; last[i] >= 0 && t < x.shape().extent(0); t++) {
                boolean counts = live == null || live[t * n + i / x.shape().extent(2)] != 0;
                if (counts && values[t * size + i] == values[last[i] * size + i]) last[i] = t;
            }
        }
        argmax.set(last);
    }
}
