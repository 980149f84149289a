package dev.elman.cuda;

import dev.elman.backend.Dropout;
import dev.elman.backend.Operands;
import dev.elman.backend.Pooling;

/** What runs over the steps of a sequence and is not the recurrence; all arguments are addresses, mask may be 0. */
final class OverTime {
    private final KernelModule kernels;

    OverTime(KernelModule kernels) {
        this.kernels = kernels;
    }

    void seenSteps(long mask, boolean reverse, long seen, int steps, int rows) {
        kernels.get(Kernel.SEEN_STEPS)
                .pointer(mask)
                .integer(reverse ? 1 : 0)
                .pointer(seen)
                .count(steps)
                .count(rows)
                .over(1, rows);
    }

    void poolForward(Pooling pooling, long x, long mask, long y, long argmax, Operands.Sequence sizes) {
        Launch launch = switch (pooling) {
            case MAX ->
                kernels.get(Kernel.POOL_MAX_FORWARD)
                        .pointer(x)
                        .pointer(mask)
                        .pointer(y)
                        .pointer(argmax);
            case MEAN ->
                kernels.get(Kernel.POOL_MEAN_FORWARD).pointer(x).pointer(mask).pointer(y);
        };
        over(launch, sizes);
    }

    void poolBackward(Pooling pooling, long dy, long mask, long argmax, long dx, Operands.Sequence sizes) {
        Launch launch = switch (pooling) {
            case MAX ->
                kernels.get(Kernel.POOL_MAX_BACKWARD)
                        .pointer(dy)
                        .pointer(argmax)
                        .pointer(dx);
            case MEAN ->
                kernels.get(Kernel.POOL_MEAN_BACKWARD).pointer(dy).pointer(mask).pointer(dx);
        };
        over(launch, sizes);
    }

    private static void over(Launch launch, Operands.Sequence sizes) {
        launch.count(sizes.t()).count(sizes.n()).count(sizes.c()).over(sizes.n(), sizes.c());
    }

    /** y = x with some elements dropped. */
    void dropout(Dropout dropout, long x, long y, Operands.Sequence sizes) {
        kernels.get(Kernel.DROPOUT)
                .pointer(x)
                .pointer(y)
                .count(sizes.t())
                .count(sizes.n())
                .count(sizes.c())
                .integer(dropout.variational() ? 1 : 0)
                .integer(dropout.firstRow())
                .integer((int) dropout.seed())
                .integer((int) (dropout.seed() >>> 32))
                .integer(dropout.threshold())
                .real(dropout.scale())
                .over((long) sizes.t() * sizes.n(), (sizes.c() + 3L) / 4);
    }
}
