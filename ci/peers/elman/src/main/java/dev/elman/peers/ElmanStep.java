package dev.elman.peers;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;

/** The tensors of one training step on an elman backend, time-major, and what is done with them. */
final class ElmanStep implements AutoCloseable {
    private static final SimpleRnnPass PASS = new SimpleRnnPass(Activation.TANH, false, null);

    private final Backend backend;
    private final Sizes sizes;
    private final Tensor x;
    private final Tensor dx;
    private final Tensor h;
    private final Tensor dh;
    private final Tensor weightValues;
    private final Tensor gradientValues;
    private final SimpleRnnWeights weights;
    private final SimpleRnnWeights gradients;
    private final SimpleRnnForward forward;
    private final SimpleRnnBackward backward;

    /** All zeros. */
    ElmanStep(Backend backend, Sizes sizes) {
        this.backend = backend;
        this.sizes = sizes;
        x = backend.allocate(Shape.of(sizes.t(), sizes.n(), sizes.d()));
        dx = backend.allocate(Shape.of(sizes.t(), sizes.n(), sizes.d()));
        h = backend.allocate(Shape.of(sizes.t() + 1, sizes.n(), sizes.h()));
        dh = backend.allocate(Shape.of(sizes.t() + 1, sizes.n(), sizes.h()));
        weightValues = backend.allocate(Shape.of(sizes.d() + sizes.h() + 1, sizes.h()));
        gradientValues = backend.allocate(weightValues.shape());
        weights = views(weightValues);
        gradients = views(gradientValues);
        forward = new SimpleRnnForward(weights, PASS, x, h);
        backward = new SimpleRnnBackward(forward, dh, dx, gradients);
    }

    private SimpleRnnWeights views(Tensor rows) {
        int d = sizes.d();
        int h = sizes.h();
        Tensor bias = rows.slice(d + h, 1).reshape(Shape.of(h));
        return new SimpleRnnWeights(rows.slice(0, d), rows.slice(d, h), bias);
    }

    /** [T,N,D]. */
    Tensor x() {
        return x;
    }

    SimpleRnnWeights weights() {
        return weights;
    }

    /** The states after the steps, [T,N,H]. */
    Tensor y() {
        return PASS.outputs(h);
    }

    /** Where dL/dy goes before {@link #backward}, which overwrites it; [T,N,H]. */
    Tensor dy() {
        return PASS.outputs(dh);
    }

    /** [T,N,D]. */
    Tensor dx() {
        return dx;
    }

    SimpleRnnWeights gradients() {
        return gradients;
    }

    void forward() {
        backend.simpleRnnForward(forward);
    }

    /**
     * After {@link #forward}. Clears first what the backend adds to: the weights' gradients and the initial state's.
     */
    void backward() {
        backend.fill(dh.slice(PASS.initialSlot(sizes.t()), 1), 0);
        backend.fill(gradientValues, 0);
        backend.simpleRnnBackward(backward);
    }

    @Override
    public void close() {
        for (Tensor tensor : new Tensor[] {x, dx, h, dh, weightValues, gradientValues}) tensor.close();
    }
}
