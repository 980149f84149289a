package dev.elman.reference;

import dev.elman.backend.Activation;
import dev.elman.backend.Dropout;
import dev.elman.backend.Operands;
import dev.elman.backend.SimpleRnnPass;

/**
 * Elman's recurrence (Elman 1990) and its back-propagation through time (Werbos 1990), one number at a time. Weights and
 * gradients are given one by one; b, db, dx and mask may be null.
 */
final class Recurrence {
    private final Operands.Rnn sizes;
    private final Activation activation;
    private final boolean reverse;
    private final ReferenceIntTensor mask;
    private final Dropout recurrentDropout;

    Recurrence(Operands.Rnn sizes, SimpleRnnPass pass, ReferenceIntTensor mask) {
        this.sizes = sizes;
        this.activation = pass.activation();
        this.reverse = pass.reverse();
        this.mask = mask;
        this.recurrentDropout = pass.recurrentDropout();
    }

    /** h_after = activation(x_t Wx + (m * h_before) Wh + b) at live steps, h_after = h_before at masked ones. */
    void forward(ReferenceTensor wx, ReferenceTensor wh, ReferenceTensor b, ReferenceTensor x, ReferenceTensor h) {
        for (int step = 0; step < sizes.t(); step++) {
            int t = reverse ? sizes.t() - 1 - step : step;
            for (int n = 0; n < sizes.n(); n++) {
                double[] recurrent = dropped(h, t, n);
                for (int j = 0; j < sizes.h(); j++) {
                    if (!live(t, n)) {
                        h.put(after(t, n, j), h.get(before(t, n, j)));
                        continue;
                    }
                    double a = b == null ? 0 : b.get(j);
                    for (int i = 0; i < sizes.d(); i++) a += x.get(input(t, n, i)) * wx.get(i * sizes.h() + j);
                    for (int i = 0; i < sizes.h(); i++) a += recurrent[i] * wh.get(i * sizes.h() + j);
                    h.put(after(t, n, j), activate(a));
                }
            }
        }
    }

    /** From the step that ran last to the one that ran first: dh_after becomes da, and m * (da Wh^T) is added to dh_before. */
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
                    dh.add(before(t, n, i), drop(n, i, sum));
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

    /** dWx += sum_t x_t^T da_t, dWh += sum_t (m * h_before)^T da_t, db += sum of da over steps and rows. */
    void weightGradients(
            ReferenceTensor x,
            ReferenceTensor h,
            ReferenceTensor da,
            ReferenceTensor dwx,
            ReferenceTensor dwh,
            ReferenceTensor db) {
        for (int t = 0; t < sizes.t(); t++) {
            for (int n = 0; n < sizes.n(); n++) {
                double[] recurrent = dropped(h, t, n);
                for (int j = 0; j < sizes.h(); j++) {
                    double a = da.get(after(t, n, j));
                    for (int i = 0; i < sizes.d(); i++) dwx.add(i * sizes.h() + j, x.get(input(t, n, i)) * a);
                    for (int i = 0; i < sizes.h(); i++) dwh.add(i * sizes.h() + j, recurrent[i] * a);
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

    /** m * h_before of row n: what Wh sees of it. */
    private double[] dropped(ReferenceTensor h, int t, int n) {
        double[] row = new double[sizes.h()];
        for (int i = 0; i < row.length; i++) row[i] = drop(n, i, h.get(before(t, n, i)));
        return row;
    }

    private double drop(int n, int i, double value) {
        return recurrentDropout == null ? value : Dropouts.apply(recurrentDropout, 0, n, i, value);
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
