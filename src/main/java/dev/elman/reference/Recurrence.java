package dev.elman.reference;

import dev.elman.backend.Activation;
import dev.elman.backend.Operands;

/**
 * Elman's recurrence (Elman 1990) and its back-propagation through time (Werbos 1990), one number at a time. Weights and
 * gradients are given one by one; b, db, dx and mask may be null.
 */
final class Recurrence {
    private final Operands.Rnn sizes;
    private final Activation activation;
    private final boolean reverse;
    private final ReferenceIntTensor mask;

    Recurrence(Operands.Rnn sizes, Activation activation, boolean reverse, ReferenceIntTensor mask) {
        this.sizes = sizes;
        this.activation = activation;
        this.reverse = reverse;
        this.mask = mask;
    }

    /** h_after = activation(x_t Wx + h_before Wh + b) at live steps, h_after = h_before at masked ones. */
    void forward(ReferenceTensor wx, ReferenceTensor wh, ReferenceTensor b, ReferenceTensor x, ReferenceTensor h) {
        for (int step = 0; step < sizes.t(); step++) {
            int t = reverse ? sizes.t() - 1 - step : step;
            for (int n = 0; n < sizes.n(); n++) {
                for (int j = 0; j < sizes.h(); j++) {
                    if (!live(t, n)) {
                        h.put(after(t, n, j), h.get(before(t, n, j)));
                        continue;
                    }
                    double a = b == null ? 0 : b.get(j);
                    for (int i = 0; i < sizes.d(); i++) a += x.get(input(t, n, i)) * wx.get(i * sizes.h() + j);
                    for (int i = 0; i < sizes.h(); i++) a += h.get(before(t, n, i)) * wh.get(i * sizes.h() + j);
                    h.put(after(t, n, j), activate(a));
                }
            }
        }
    }

    /** From the step that ran last to the one that ran first: dh_after becomes da, and da Wh^T is added to dh_before. */
    void backward(ReferenceTensor wh, ReferenceTensor h, ReferenceTensor dh) {
        for (int step = sizes.t() - 1; step >= 0; step--) {
            int t = reverse ? sizes.t() - 1 - step : step;
            for (int n = 0; n < sizes.n(); n++) {
                for (int j = 0; j < sizes.h(); j++) {
                    double g = dh.get(after(t, n, j));
                    if (live(t, n)) {
                        dh.put(after(t, n, j), g * derivative(h.get(after(t, n, j))));
                    } else {
                        dh.put(after(t, n, j), 0);
                        dh.add(before(t, n, j), g);
                    }
                }
                for (int i = 0; i < sizes.h(); i++) {
                    double sum = 0;
                    for (int j = 0; j < sizes.h(); j++) sum += dh.get(after(t, n, j)) * wh.get(i * sizes.h() + j);
                    dh.add(before(t, n, i), sum);
                }
            }
        }
    }

    /** dx_t = da_t Wx^T. */
    void inputGradient(ReferenceTensor wx, ReferenceTensor da, ReferenceTensor dx) {
        for (int t = 0; t < sizes.t(); t++) {
            for (int n = 0; n < sizes.n(); n++) {
                for (int i = 0; i < sizes.d(); i++) {
                    double sum = 0;
                    for (int j = 0; j < sizes.h(); j++) sum += da.get(after(t, n, j)) * wx.get(i * sizes.h() + j);
                    dx.put(input(t, n, i), sum);
                }
            }
        }
    }

    /** dWx += sum_t x_t^T da_t, dWh += sum_t h_before^T da_t, db += sum of da over steps and rows. */
    void weightGradients(
            ReferenceTensor x,
            ReferenceTensor h,
            ReferenceTensor da,
            ReferenceTensor dwx,
            ReferenceTensor dwh,
            ReferenceTensor db) {
        for (int t = 0; t < sizes.t(); t++) {
            for (int n = 0; n < sizes.n(); n++) {
                for (int j = 0; j < sizes.h(); j++) {
                    double a = da.get(after(t, n, j));
                    for (int i = 0; i < sizes.d(); i++) dwx.add(i * sizes.h() + j, x.get(input(t, n, i)) * a);
                    for (int i = 0; i < sizes.h(); i++) dwh.add(i * sizes.h() + j, h.get(before(t, n, i)) * a);
                    if (db != null) db.add(j, a);
                }
            }
        }
    }

    private double activate(double a) {
        return switch (activation) {
            case TANH -> Math.tanh(a);
            case RELU -> Math.max(a, 0);
            case LINEAR -> a;
        };
    }

    /** The activation's derivative, told by its result. */
    private double derivative(double h) {
        return switch (activation) {
            case TANH -> 1 - h * h;
            case RELU -> h > 0 ? 1 : 0;
            case LINEAR -> 1;
        };
    }

    private boolean live(int t, int n) {
        return mask == null || mask.get(t * sizes.n() + n) != 0;
    }

    private int input(int t, int n, int i) {
        return (t * sizes.n() + n) * sizes.d() + i;
    }

    private int before(int t, int n, int j) {
        return ((reverse ? t + 1 : t) * sizes.n() + n) * sizes.h() + j;
    }

    private int after(int t, int n, int j) {
        return ((reverse ? t : t + 1) * sizes.n() + n) * sizes.h() + j;
    }
}
