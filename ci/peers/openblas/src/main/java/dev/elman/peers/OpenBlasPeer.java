package dev.elman.peers;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.blas_get_num_threads;
import static org.bytedeco.openblas.global.openblas.blas_set_num_threads;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;

/**
 * What one would write by hand: OpenBLAS for the products, one for all inputs and one a step, and Java loops around
 * them. Time-major.
 */
public class OpenBlasPeer implements Peer {
    private Sizes sizes;
    private FloatPointer x;
    private FloatPointer wx;
    private FloatPointer wh;
    private FloatPointer y;
    private FloatPointer dx;
    private FloatPointer dwx;
    private FloatPointer dwh;

    /** The gradient of the pre-activations, [T][N][H]. */
    private FloatPointer da;

    /** What a step hands to the one before, [N][H]. */
    private FloatPointer dh;

    private FloatBuffer yValues;
    private FloatBuffer daValues;
    private FloatBuffer dhValues;
    private FloatPointer[] yAt;
    private FloatPointer[] daAt;
    private float[] b;
    private float[] dy;
    private float[] db;

    /** One step each, [N][H]. */
    private float[] state;

    private float[] stepGradient;
    private float[] fromLater;

    public OpenBlasPeer() {
        blas_set_num_threads(2);
    }

    @Override
    public String describe() {
        return "OpenBLAS by way of bytedeco " + openblas.class.getPackage().getImplementationVersion() + ", "
                + blas_get_num_threads() + " threads in products and 1 in loops, " + tanhName();
    }

    String tanhName() {
        return "Math.tanh";
    }

    void tanh(float[] values) {
        for (int i = 0; i < values.length; i++) values[i] = (float) Math.tanh(values[i]);
    }

    @Override
    public void prepare(Problem problem) {
        if (sizes != null) List.of(x, wx, wh, y, dx, dwx, dwh, da, dh).forEach(FloatPointer::deallocate);
        sizes = problem.sizes();
        int n = sizes.n();
        int t = sizes.t();
        int d = sizes.d();
        int h = sizes.h();
        x = copy(Layouts.swapLeading(problem.x(), n, t, d));
        wx = copy(problem.wx());
        wh = copy(problem.wh());
        b = problem.b();
        dy = Layouts.swapLeading(problem.dy(), n, t, h);
        y = new FloatPointer((long) t * n * h);
        da = new FloatPointer((long) t * n * h);
        dx = new FloatPointer((long) t * n * d);
        dwx = new FloatPointer((long) d * h);
        dwh = new FloatPointer((long) h * h);
        dh = new FloatPointer((long) n * h);
        yValues = y.asByteBuffer().asFloatBuffer();
        daValues = da.asByteBuffer().asFloatBuffer();
        dhValues = dh.asByteBuffer().asFloatBuffer();
        yAt = steps(y);
        daAt = steps(da);
        db = new float[h];
        state = new float[n * h];
        stepGradient = new float[n * h];
        fromLater = new float[n * h];
    }

    private static FloatPointer copy(float[] values) {
        return new FloatPointer(values.length).put(values, 0, values.length);
    }

    private FloatPointer[] steps(FloatPointer whole) {
        FloatPointer[] steps = new FloatPointer[sizes.t()];
        for (int t = 0; t < steps.length; t++) {
            steps[t] = new FloatPointer(whole.getPointer((long) t * sizes.n() * sizes.h()));
        }
        return steps;
    }

    @Override
    public void forward() {
        int n = sizes.n();
        int h = sizes.h();
        multiply(sizes.t() * n, h, sizes.d(), x, false, wx, false, false, y);
        for (int t = 0; t < sizes.t(); t++) {
            if (t > 0) multiply(n, h, h, yAt[t - 1], false, wh, false, true, yAt[t]);
            yValues.get(t * n * h, state);
            for (int i = 0; i < n; i++) for (int j = 0; j < h; j++) state[i * h + j] += b[j];
            tanh(state);
            yValues.put(t * n * h, state);
        }
    }

    @Override
    public void forwardBackward() {
        forward();
        int n = sizes.n();
        int t = sizes.t();
        int d = sizes.d();
        int h = sizes.h();
        Arrays.fill(db, 0);
        for (int step = t - 1; step >= 0; step--) backward(step);
        multiply(t * n, d, h, da, false, wx, true, false, dx);
        multiply(d, h, t * n, x, true, da, false, false, dwx);
        if (t > 1) multiply(h, h, (t - 1) * n, y, true, daAt[1], false, false, dwh);
        else dwh.fill(0);
    }

    private void backward(int step) {
        int n = sizes.n();
        int h = sizes.h();
        int begin = step * n * h;
        if (step == sizes.t() - 1) {
            Arrays.fill(fromLater, 0);
        } else {
            multiply(n, h, h, daAt[step + 1], false, wh, true, false, dh);
            dhValues.get(0, fromLater);
        }
        yValues.get(begin, state);
        for (int i = 0; i < n * h; i++) {
            stepGradient[i] = (dy[begin + i] + fromLater[i]) * (1 - state[i] * state[i]);
        }
        for (int i = 0; i < n; i++) for (int j = 0; j < h; j++) db[j] += stepGradient[i * h + j];
        daValues.put(begin, stepGradient);
    }

    /** c [m,n] = a [m,k] b [k,n] + (add ? c : 0); a transposed factor is stored [k,m] or [n,k]. */
    private static void multiply(
            int m,
            int n,
            int k,
            FloatPointer a,
            boolean transposeA,
            FloatPointer b,
            boolean transposeB,
            boolean add,
            FloatPointer c) {
        int orderA = transposeA ? CblasTrans : CblasNoTrans;
        int orderB = transposeB ? CblasTrans : CblasNoTrans;
        int strideA = transposeA ? m : k;
        int strideB = transposeB ? k : n;
        cblas_sgemm(CblasRowMajor, orderA, orderB, m, n, k, 1, a, strideA, b, strideB, add ? 1 : 0, c, n);
    }

    @Override
    public Outputs outputs() {
        int n = sizes.n();
        int t = sizes.t();
        int d = sizes.d();
        int h = sizes.h();
        return new Outputs(
                Layouts.swapLeading(floats(y, t * n * h), t, n, h),
                Layouts.swapLeading(floats(dx, t * n * d), t, n, d),
                floats(dwx, d * h),
                floats(dwh, h * h),
                db);
    }

    private static float[] floats(FloatPointer values, int count) {
        float[] copy = new float[count];
        values.get(copy);
        return copy;
    }
}
