package dev.elman.golden;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.SgdStep;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.rnn.Merge;
import dev.elman.rnn.SimpleRnn;
import dev.elman.rnn.SimpleRnnConfig;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** nn.RNN of several layers with two biases, trained for some steps: our layer must give the same and learn the same. */
final class GoldenStack {
    /** Generous: errors of several layers and steps. */
    private static final long TERMS = 500;

    private final GoldenCase fixture;
    private final Backend backend;
    private final SimpleRnnConfig config;

    GoldenStack(GoldenCase fixture) {
        this.fixture = fixture;
        this.backend = fixture.backend();
        this.config = SimpleRnnConfig.of(
                        fixture.shape("wx_0").extent(0), fixture.shape("wx_0").extent(1))
                .withLayers((int) fixture.number("layers"))
                .withActivation(Activation.valueOf(fixture.text("activation").toUpperCase(Locale.ROOT)))
                .withRecurrentBias(true)
                .withBidirectional(fixture.flag("bidirectional"))
                .withMerge(Merge.valueOf(fixture.text("merge").toUpperCase(Locale.ROOT)))
                .withGoBackwards(fixture.flag("go_backwards"))
                .withZeroOutputForMask(true);
    }

    void run() {
        Tensor x = fixture.upload("x");
        Tensor h0 = fixture.upload("h0");
        Tensor dy = fixture.upload("dy");
        Tensor dhn = fixture.upload("dhn");
        IntTensor mask = fixture.has("mask") ? fixture.uploadInts("mask") : null;
        SgdStep sgd = new SgdStep(fixture.number("learning_rate"), 0, false, 0);
        try (SimpleRnn rnn = SimpleRnn.create(backend, config, 0)) {
            parameters(rnn, false).forEach((name, tensor) -> tensor.set(fixture.values(name)));
            for (int step = 0; step < fixture.number("steps"); step++) {
                rnn.clearGradients();
                Tensor y = rnn.forward(x, mask, h0);
                if (step == 0) fixture.assertClose("y", y, TERMS);
                if (step == 0) fixture.assertClose("hn", rnn.state(), TERMS);
                Tensor dx = rnn.backward(dy, dhn, true);
                Map<String, Tensor> gradients = parameters(rnn, true);
                if (step == 0) judgeFirst(rnn, dx, gradients);
                parameters(rnn, false)
                        .forEach((name, tensor) -> backend.sgdStep(sgd, tensor, gradients.get(name), null));
            }
            parameters(rnn, false).forEach((name, tensor) -> fixture.assertClose(name + "_after", tensor, TERMS));
        }
    }

    private void judgeFirst(SimpleRnn rnn, Tensor dx, Map<String, Tensor> gradients) {
        fixture.assertClose("dx", dx, TERMS);
        gradients.forEach((name, gradient) -> fixture.assertClose("d" + name, gradient, TERMS));
        int hidden = config.hiddenSize();
        Tensor all = fixture.zeros(fixture.shape("dh0"));
        for (int i = 0; i < config.stateSize() / hidden; i++) {
            backend.copyColumns(rnn.initialStateGradient(i), 0, all, i * hidden, hidden);
        }
        fixture.assertClose("dh0", all, TERMS);
    }

    /** All parameters, or their gradients, by the fixture's names. */
    private Map<String, Tensor> parameters(SimpleRnn rnn, boolean gradients) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        for (int i = 0; i < config.stateSize() / config.hiddenSize(); i++) {
            SimpleRnnWeights weights = gradients ? rnn.gradients(i) : rnn.weights(i);
            all.put("wx_" + i, weights.wx());
            all.put("wh_" + i, weights.wh());
            all.put("b_" + i, weights.b());
            all.put("bh_" + i, gradients ? rnn.recurrentBiasGradient(i) : rnn.recurrentBias(i));
        }
        return all;
    }
}
