package dev.elman.peers;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;

/**
 * elman's CPU backend. The timed step also copies dL/dy to where back-propagation overwrites it, and writes one of the
 * weights' views, as an optimizer writes all of them, after which they are laid out anew.
 */
public final class ElmanPeer implements Peer {
    private final Backend backend = Backends.open("cpu");
    private Sizes sizes;
    private ElmanStep step;
    private Tensor dy;
    private float[] bias;

    @Override
    public String describe() {
        return backend.description();
    }

    @Override
    public void prepare(Problem problem) {
        if (step != null) {
            step.close();
            dy.close();
        }
        sizes = problem.sizes();
        int n = sizes.n();
        int t = sizes.t();
        step = new ElmanStep(backend, sizes);
        step.x().set(Layouts.swapLeading(problem.x(), n, t, sizes.d()));
        step.weights().wx().set(problem.wx());
        step.weights().wh().set(problem.wh());
        bias = problem.b();
        step.weights().b().set(bias);
        dy = backend.allocate(Shape.of(t, n, sizes.h()));
        dy.set(Layouts.swapLeading(problem.dy(), n, t, sizes.h()));
    }

    @Override
    public void forward() {
        step.forward();
    }

    @Override
    public void forwardBackward() {
        step.weights().b().set(bias);
        step.forward();
        backend.copy(dy, step.dy());
        step.backward();
    }

    @Override
    public Outputs outputs() {
        int n = sizes.n();
        int t = sizes.t();
        return new Outputs(
                Layouts.swapLeading(step.y().toFloats(), t, n, sizes.h()),
                Layouts.swapLeading(step.dx().toFloats(), t, n, sizes.d()),
                step.gradients().wx().toFloats(),
                step.gradients().wh().toFloats(),
                step.gradients().b().toFloats());
    }
}
