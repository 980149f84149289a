package dev.elman.golden;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.Locale;

/** nn.RNN, and the recurrence under autograd with masks that nn.RNN does not know. */
final class GoldenRnn {
    private final GoldenCase fixture;
    private final Backend backend;
    private final String suffix;
    private final boolean reverse;
    private final int column;
    private final int t;
    private final int n;
    private final int d;
    private final int h;

    /** @param column of y at which this direction begins */
    private GoldenRnn(GoldenCase fixture, String suffix, boolean reverse, int column) {
        this.fixture = fixture;
        this.backend = fixture.backend();
        this.suffix = suffix;
        this.reverse = reverse;
        this.column = column;
        this.t = fixture.shape("x").extent(0);
        this.n = fixture.shape("x").extent(1);
        this.d = fixture.shape("x").extent(2);
        this.h = fixture.shape("wh" + suffix).extent(0);
    }

    static void one(GoldenCase fixture) {
        GoldenRnn rnn = new GoldenRnn(fixture, "", fixture.flag("reverse"), 0);
        Tensor dx = rnn.run();
        fixture.assertClose("dx", dx, rnn.gradientTerms());
    }

    static void both(GoldenCase fixture) {
        GoldenRnn forward = new GoldenRnn(fixture, "_f", false, 0);
        GoldenRnn reverse = new GoldenRnn(fixture, "_r", true, forward.h);
        Tensor dx = forward.run();
        fixture.backend().axpy(1, reverse.run(), dx);
        fixture.assertClose("dx", dx, 2 * forward.gradientTerms());
    }

    private long gradientTerms() {
        return (long) t * (2L * h + d + n + 1);
    }

    /** Both passes of this direction, everything judged but dx, which is returned. */
    private Tensor run() {
        Activation activation = Activation.valueOf(fixture.text("activation").toUpperCase(Locale.ROOT));
        IntTensor mask = fixture.has("mask") ? fixture.uploadInts("mask") : null;
        SimpleRnnPass pass = new SimpleRnnPass(activation, reverse, mask, dropout());
        SimpleRnnWeights weights = new SimpleRnnWeights(
                fixture.upload("wx" + suffix), fixture.upload("wh" + suffix), fixture.upload("b" + suffix));
        Tensor x = fixture.upload("x");
        Tensor states = fixture.zeros(t + 1, n, h);
        states.view((long) pass.initialSlot(t) * n * h, fixture.shape("h0" + suffix))
                .set(fixture.values("h0" + suffix));
        SimpleRnnForward forward = new SimpleRnnForward(weights, pass, x, states);
        backend.simpleRnnForward(forward);
        judgeStates(pass, states);

        Tensor dh = fixture.zeros(t + 1, n, h);
        dh.slice(pass.finalSlot(t), 1).set(fixture.values("dhn" + suffix));
        Tensor above = fixture.zeros(t, n, h);
        above.set(upstream());
        backend.axpy(1, above, pass.outputs(dh));
        Tensor dx = fixture.zeros(t, n, d);
        SimpleRnnWeights gradients = new SimpleRnnWeights(fixture.zeros(d, h), fixture.zeros(h, h), fixture.zeros(h));
        backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, dx, gradients));
        fixture.assertClose("dh0" + suffix, dh.slice(pass.initialSlot(t), 1), gradientTerms());
        fixture.assertClose("dwx" + suffix, gradients.wx(), gradientTerms());
        fixture.assertClose("dwh" + suffix, gradients.wh(), gradientTerms());
        fixture.assertClose("db" + suffix, gradients.b(), gradientTerms());
        return dx;
    }

    private Dropout dropout() {
        if (fixture.text("dropout") == null) return null;
        JsonObject json = JsonParser.parseString(fixture.text("dropout")).getAsJsonObject();
        return new Dropout(
                json.get("rate").getAsDouble(),
                json.get("seed").getAsLong(),
                json.get("first_row").getAsInt(),
                true);
    }

    /** The final state, and the outputs wherever a layer would show the state. */
    private void judgeStates(SimpleRnnPass pass, Tensor states) {
        long terms = (long) t * (d + h + 1);
        fixture.assertClose("hn" + suffix, states.slice(pass.finalSlot(t), 1), terms);
        double[] given = pass.outputs(states).toDoubles();
        double[] expected = columns("y");
        boolean[] shown = shown();
        for (int i = 0; i < given.length; i++) if (!shown[i / h]) expected[i] = given[i];
        fixture.assertClose("y" + suffix, expected, given, terms, 1);
    }

    /** dy where the layer shows the state; elsewhere it shows zeros, and no gradient comes back. */
    private double[] upstream() {
        double[] dy = columns("dy");
        boolean[] shown = shown();
        for (int i = 0; i < dy.length; i++) if (!shown[i / h]) dy[i] = 0;
        return dy;
    }

    /** For each [T,N]: PyTorch shows live steps, Keras also repeats the state at masked ones, once there is one. */
    private boolean[] shown() {
        boolean[] shown = new boolean[t * n];
        if (!fixture.has("mask")) {
            Arrays.fill(shown, true);
            return shown;
        }
        int[] mask = fixture.integers("mask");
        boolean repeats = fixture.text("masked_output").equals("repeat");
        for (int row = 0; row < n; row++) {
            boolean seen = false;
            for (int step = 0; step < t; step++) {
                int i = (reverse ? t - 1 - step : step) * n + row;
                seen |= mask[i] != 0;
                shown[i] = mask[i] != 0 || (repeats && seen);
            }
        }
        return shown;
    }

    /** This direction's columns of [T,N,H] or [T,N,2H]. */
    private double[] columns(String name) {
        double[] all = fixture.values(name);
        int width = fixture.shape(name).extent(2);
        double[] own = new double[t * n * h];
        for (int row = 0; row < t * n; row++) System.arraycopy(all, row * width + column, own, row * h, h);
        return own;
    }
}
