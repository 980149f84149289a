package dev.elman.reference;

import dev.elman.backend.Operands;

/** Maximum or mean over the live steps of each row, and their gradients. */
final class PoolOverTime {
    private final Operands.Sequence sizes;
    private final ReferenceIntTensor mask;

    PoolOverTime(Operands.Sequence sizes, ReferenceIntTensor mask) {
        this.sizes = sizes;
        this.mask = mask;
    }

    void maxForward(ReferenceTensor x, ReferenceTensor y, ReferenceIntTensor argmax) {
        for (int n = 0; n < sizes.n(); n++) {
            for (int c = 0; c < sizes.c(); c++) {
                int best = -1;
                for (int t = 0; t < sizes.t(); t++) {
                    if (live(t, n) && (best < 0 || beats(x.get(index(t, n, c)), x.get(index(best, n, c))))) best = t;
                }
                y.put(n * sizes.c() + c, best < 0 ? 0 : x.get(index(best, n, c)));
                argmax.put(n * sizes.c() + c, best);
            }
        }
    }

    /** Larger, or the first NaN: a NaN must not vanish in a maximum. */
    private static boolean beats(double candidate, double best) {
        return candidate > best || (Double.isNaN(candidate) && !Double.isNaN(best));
    }

    void maxBackward(ReferenceTensor dy, ReferenceIntTensor argmax, ReferenceTensor dx) {
        for (int t = 0; t < sizes.t(); t++) {
            for (int n = 0; n < sizes.n(); n++) {
                for (int c = 0; c < sizes.c(); c++) {
                    int i = n * sizes.c() + c;
                    dx.put(index(t, n, c), argmax.get(i) == t ? dy.get(i) : 0);
                }
            }
        }
    }

    void meanForward(ReferenceTensor x, ReferenceTensor y) {
        for (int n = 0; n < sizes.n(); n++) {
            int count = liveSteps(n);
            for (int c = 0; c < sizes.c(); c++) {
                double sum = 0;
                for (int t = 0; t < sizes.t(); t++) {
                    if (live(t, n)) sum += x.get(index(t, n, c));
                }
                y.put(n * sizes.c() + c, count == 0 ? 0 : sum / count);
            }
        }
    }

    void meanBackward(ReferenceTensor dy, ReferenceTensor dx) {
        for (int n = 0; n < sizes.n(); n++) {
            int count = liveSteps(n);
            for (int c = 0; c < sizes.c(); c++) {
                for (int t = 0; t < sizes.t(); t++) {
                    dx.put(index(t, n, c), live(t, n) ? dy.get(n * sizes.c() + c) / count : 0);
                }
            }
        }
    }

    private int liveSteps(int n) {
        int count = 0;
        for (int t = 0; t < sizes.t(); t++) {
            if (live(t, n)) count++;
        }
        return count;
    }

    private boolean live(int t, int n) {
        return mask == null || mask.get(t * sizes.n() + n) != 0;
    }

    private int index(int t, int n, int c) {
        return (t * sizes.n() + n) * sizes.c() + c;
    }
}
