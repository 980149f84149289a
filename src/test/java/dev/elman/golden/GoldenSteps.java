package dev.elman.golden;

import dev.elman.backend.AdamStep;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Tensor;
import java.util.function.IntConsumer;

/** Optimizer steps and clipping. */
final class GoldenSteps {
    private GoldenSteps() {}

    static void sgd(GoldenCase fixture) {
        SgdStep step = new SgdStep(
                fixture.number("learning_rate"),
                fixture.number("momentum"),
                fixture.flag("nesterov"),
                fixture.number("weight_decay"));
        Tensor w = fixture.upload("w0");
        Tensor velocity = fixture.has("velocity") ? fixture.zeros(w.shape()) : null;
        Tensor g = fixture.upload("g");
        eachStep(fixture, i -> {
            fixture.backend().sgdStep(step, w, g.slice(i, 1), velocity);
            judge(fixture, "w", i, w);
            if (velocity != null) judge(fixture, "velocity", i, velocity);
        });
    }

    static void adam(GoldenCase fixture) {
        Tensor w = fixture.upload("w0");
        Tensor m = fixture.zeros(w.shape());
        Tensor v = fixture.zeros(w.shape());
        Tensor g = fixture.upload("g");
        eachStep(fixture, i -> {
            AdamStep step = new AdamStep(
                    fixture.number("learning_rate"),
                    fixture.number("beta1"),
                    fixture.number("beta2"),
                    fixture.number("epsilon"),
                    fixture.number("weight_decay"),
                    fixture.flag("decoupled"),
                    i + 1L);
            fixture.backend().adamStep(step, w, g.slice(i, 1), m, v);
            judge(fixture, "w", i, w);
            judge(fixture, "m", i, m);
            judge(fixture, "v", i, v);
        });
    }

    private static void eachStep(GoldenCase fixture, IntConsumer step) {
        for (int i = 0; i < fixture.shape("g").extent(0); i++) step.accept(i);
    }

    private static void judge(GoldenCase fixture, String name, int step, Tensor given) {
        fixture.assertCloseOfStep(name, step, given.toDoubles(), 8L * (step + 1));
    }

    static void clipNorm(GoldenCase fixture) {
        Tensor g = fixture.upload("g");
        Tensor norm = fixture.zeros(1);
        fixture.backend().clipGlobalNorm(g, fixture.number("max_norm"), norm);
        fixture.assertClose("norm", norm, g.shape().size());
        fixture.assertClose("clipped", g, g.shape().size());
    }
}
