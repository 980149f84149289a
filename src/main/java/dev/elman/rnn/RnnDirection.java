package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** One direction of a {@link SimpleRnn}: weights, states and their gradients. */
final class RnnDirection implements AutoCloseable {
    private static final String WX = ".wx";
    private static final String WH = ".wh";
    private static final String B = ".b";

    private final Backend backend;
    private final SimpleRnnConfig config;
    private final boolean reverse;
    private final SimpleRnnWeights weights;
    /** Null for a direction that is never run back. */
    private final SimpleRnnWeights gradients;

    private final Buffer states;
    private final Buffer stateGradients;
    private SimpleRnnPass pass;
    private Tensor x;
    private Tensor h;
    private Tensor dh;

    static List<Parameters.Spec> specs(String name, SimpleRnnConfig config) {
        List<Parameters.Spec> specs = new ArrayList<>();
        specs.add(new Parameters.Spec(name + WX, Shape.of(config.inputSize(), config.hiddenSize())));
        specs.add(new Parameters.Spec(name + WH, Shape.of(config.hiddenSize(), config.hiddenSize())));
        if (config.bias()) specs.add(new Parameters.Spec(name + B, Shape.of(config.hiddenSize())));
        return specs;
    }

    RnnDirection(
            Backend backend,
            SimpleRnnConfig config,
            boolean reverse,
            String name,
            Parameters weights,
            Parameters gradients) {
        this.backend = backend;
        this.config = config;
        this.reverse = reverse;
        this.weights = views(name, weights);
        this.gradients = gradients == null ? null : views(name, gradients);
        this.states = new Buffer(backend);
        this.stateGradients = new Buffer(backend);
    }

    private SimpleRnnWeights views(String name, Parameters parameters) {
        return new SimpleRnnWeights(
                parameters.get(name + WX), parameters.get(name + WH), config.bias() ? parameters.get(name + B) : null);
    }

    void initialize(Initializer kernel, Initializer recurrent, Initializer bias, Random random) {
        int d = config.inputSize();
        int hidden = config.hiddenSize();
        weights.wx().set(kernel.values(d, hidden, random));
        weights.wh().set(recurrent.values(hidden, hidden, random));
        if (config.bias()) weights.b().set(bias.values(1, hidden, random));
    }

    SimpleRnnWeights weights() {
        return weights;
    }

    SimpleRnnWeights gradients() {
        return gradients;
    }

    boolean reverse() {
        return reverse;
    }

    /** [T,N,D] of the last call. */
    Shape inputShape() {
        return x.shape();
    }

    /** Makes room for T steps of N rows and returns the slot [N,H] of the initial state, for the caller to fill. */
    Tensor begin(Tensor x, IntTensor mask) {
        this.x = x;
        int steps = x.shape().extent(0);
        pass = new SimpleRnnPass(config.activation(), reverse, mask);
        h = states.of(Shape.of(steps + 1, x.shape().extent(1), config.hiddenSize()));
        return slot(h, pass.initialSlot(steps));
    }

    /** Runs from the initial state that {@link #begin} asked for. */
    void forward() {
        backend.simpleRnnForward(weights, pass, x, h);
    }

    /** States after each step, [T,N,H]. */
    Tensor outputs() {
        return pass.outputs(h);
    }

    /** The state [N,H] after the step that ran last. */
    Tensor finalState() {
        return slot(h, pass.finalSlot(steps()));
    }

    /** Makes room for the gradients of the states and returns those of the steps, [T,N,H], for the caller to fill. */
    Tensor beginBackward() {
        dh = stateGradients.of(h.shape());
        backend.fill(initialStateGradient(), 0);
        return pass.outputs(dh);
    }

    /** Where the gradient [N,H] of the final state is gathered, within what {@link #beginBackward} returned. */
    Tensor finalStateGradient() {
        return slot(dh, pass.finalSlot(steps()));
    }

    /** Runs back from the gradients that {@link #beginBackward} asked for; dx [T,N,D] may be null. */
    void backward(Tensor dx) {
        backend.simpleRnnBackward(weights, pass, x, h, dh, dx, gradients);
    }

    /** The gradient [N,H] of the initial state. */
    Tensor initialStateGradient() {
        if (dh == null) {
            throw new IllegalStateException("SimpleRnn.initialStateGradient: there is none yet. Call backward first.");
        }
        return slot(dh, pass.initialSlot(steps()));
    }

    private int steps() {
        return h.shape().extent(0) - 1;
    }

    private static Tensor slot(Tensor buffer, int slot) {
        return buffer.slice(slot, 1)
                .reshape(Shape.of(buffer.shape().extent(1), buffer.shape().extent(2)));
    }

    @Override
    public void close() {
        states.close();
        stateGradients.close();
    }
}
