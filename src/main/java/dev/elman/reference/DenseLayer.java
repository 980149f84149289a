package dev.elman.reference;

import dev.elman.backend.Operands;

/** y = x w + b with w [D,K], or with w [K,D] and its transpose; b, db and dx may be null. */
final class DenseLayer {
    private final Operands.Dense sizes;
    private final boolean transposed;

    DenseLayer(Operands.Dense sizes, boolean transposed) {
        this.sizes = sizes;
        this.transposed = transposed;
    }

    void forward(ReferenceTensor x, ReferenceTensor w, ReferenceTensor b, ReferenceTensor y) {
        for (int m = 0; m < sizes.m(); m++) {
            for (int k = 0; k < sizes.k(); k++) {
                double sum = b == null ? 0 : b.get(k);
                for (int d = 0; d < sizes.d(); d++) sum += x.get(m * sizes.d() + d) * w.get(weight(d, k));
                y.put(m * sizes.k() + k, sum);
            }
        }
    }

    void backward(
            ReferenceTensor x,
            ReferenceTensor w,
            ReferenceTensor dy,
            ReferenceTensor dx,
            ReferenceTensor dw,
            ReferenceTensor db) {
        for (int m = 0; m < sizes.m(); m++) {
            for (int d = 0; d < sizes.d(); d++) {
                double sum = 0;
                for (int k = 0; k < sizes.k(); k++) {
                    double g = dy.get(m * sizes.k() + k);
                    sum += g * w.get(weight(d, k));
                    dw.add(weight(d, k), x.get(m * sizes.d() + d) * g);
                }
                if (dx != null) dx.put(m * sizes.d() + d, sum);
            }
            for (int k = 0; k < sizes.k() && db != null; k++) db.add(k, dy.get(m * sizes.k() + k));
        }
    }

    /** Where the weight between input d and output k lies. */
    private int weight(int d, int k) {
        return transposed ? k * sizes.d() + d : d * sizes.k() + k;
    }
}
