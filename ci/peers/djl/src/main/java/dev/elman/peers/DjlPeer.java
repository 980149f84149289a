package dev.elman.peers;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.recurrent.RNN;
import ai.djl.training.GradientCollector;

/** DJL on PyTorch: what its RNN block calls, time-major; the gradients by a GradientCollector. */
public final class DjlPeer implements Peer {
    private static final String ENGINE = "PyTorch";

    private final NDManager base = NDManager.newBaseManager(Device.cpu(), ENGINE);
    private NDManager manager;
    private Sizes sizes;
    private NDArray x;
    private NDArray trainedX;
    private NDArray h0;
    private NDArray dy;
    private NDArray y;
    private NDList weights;
    private NDList trainedWeights;
    private boolean trained;

    @Override
    public String describe() {
        String engine = Engine.getEngine(ENGINE).toString().replaceAll("\\s+", " ");
        return "DJL " + Engine.getDjlVersion() + ", "
                + engine.replaceAll("PyTorch Library: \\S+ ?", "").replaceAll("/\\S+", "");
    }

    @Override
    public void prepare(Problem problem) {
        if (manager != null) manager.close();
        manager = base.newSubManager();
        y = null;
        sizes = problem.sizes();
        int n = sizes.n();
        int t = sizes.t();
        float[] timeMajor = Layouts.swapLeading(problem.x(), n, t, sizes.d());
        x = manager.create(timeMajor, new Shape(t, n, sizes.d()));
        trainedX = manager.create(timeMajor, new Shape(t, n, sizes.d()));
        trainedX.setRequiresGradient(true);
        dy = manager.create(Layouts.swapLeading(problem.dy(), n, t, sizes.h()), new Shape(t, n, sizes.h()));
        h0 = manager.zeros(new Shape(1, n, sizes.h()));
        weights = weights(problem);
        trainedWeights = weights(problem);
        for (NDArray weight : trainedWeights) weight.setRequiresGradient(true);
    }

    /** PyTorch has a second bias, which is 0 here. */
    private NDList weights(Problem problem) {
        int d = sizes.d();
        int h = sizes.h();
        return new NDList(
                manager.create(Layouts.transpose(problem.wx(), d, h), new Shape(h, d)),
                manager.create(Layouts.transpose(problem.wh(), h, h), new Shape(h, h)),
                manager.create(problem.b(), new Shape(h)),
                manager.zeros(new Shape(h)));
    }

    @Override
    public void forward() {
        run(x, weights, false);
    }

    private void run(NDArray input, NDList parameters, boolean training) {
        if (y != null) y.close();
        trained = training;
        NDList result = input.getNDArrayInternal()
                .rnn(input, h0, parameters, true, 1, RNN.Activation.TANH, 0, training, false, false);
        y = result.get(0);
        result.get(1).close();
    }

    @Override
    public void forwardBackward() {
        try (GradientCollector collector = Engine.getEngine(ENGINE).newGradientCollector()) {
            clear(trainedX);
            for (NDArray weight : trainedWeights) clear(weight);
            run(trainedX, trainedWeights, true);
            // The gradient of sum(y * dy) with respect to y is dy.
            try (NDArray product = y.mul(dy);
                    NDArray loss = product.sum()) {
                collector.backward(loss);
            }
        }
    }

    private static void clear(NDArray weight) {
        try (NDArray gradient = weight.getGradient()) {
            gradient.subi(gradient);
        }
    }

    @Override
    public Outputs outputs() {
        int n = sizes.n();
        int t = sizes.t();
        int d = sizes.d();
        int h = sizes.h();
        float[] states = Layouts.swapLeading(y.toFloatArray(), t, n, h);
        if (!trained) return new Outputs(states);
        return new Outputs(
                states,
                Layouts.swapLeading(gradient(trainedX), t, n, d),
                Layouts.transpose(gradient(trainedWeights.get(0)), h, d),
                Layouts.transpose(gradient(trainedWeights.get(1)), h, h),
                gradient(trainedWeights.get(2)));
    }

    private static float[] gradient(NDArray weight) {
        try (NDArray gradient = weight.getGradient()) {
            return gradient.toFloatArray();
        }
    }
}
