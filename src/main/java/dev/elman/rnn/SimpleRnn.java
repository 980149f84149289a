package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * Elman's recurrent layer over a sequence, in one direction or two, or several such layers on top of each other:
 * h_t = activation(x_t Wx + h_(t-1) Wh + b). With T = 1 it is the single step. {@link SimpleRnnConfig} says what there is to
 * choose. Shapes are time-major; {@link Sequences} turns [N,T,D] arrays into them.
 *
 * <p>Weights are asked for by number: 0 is the first layer's forward direction, 1 its reverse one if there are two, then
 * come those of the next layer. The states [N,S] of a row lie in the same order.
 *
 * <p>What {@code forward} and {@code backward} return belongs to the layer and is overwritten by its next call.
 */
public final class SimpleRnn implements AutoCloseable {
    private final Backend backend;
    private final SimpleRnnConfig config;
    private final Parameters weights;
    private final Parameters gradients;
    private final List<RnnLayer> layers = new ArrayList<>();
    private final List<RnnDirection> directions;
    private final RnnOutput output;
    private final RnnState state;
    /** Whether the weights and gradients go with the layer. */
    private boolean owner;

    private IntTensor mask;
    /** Of what the last {@link #forward} returned; null before the first. */
    private Shape outputShape;

    /**
     * The parameters that a layer of this name needs: {@code name.forward.wx}, {@code .wh}, {@code .b}, for a second bias
     * {@code .bh}, and {@code name.reverse...}; those of further layers are {@code name.l1.forward...} and so on.
     */
    public static List<Parameters.Spec> specs(String name, SimpleRnnConfig config) {
        List<Parameters.Spec> specs = new ArrayList<>();
        for (int k = 0; k < config.layers(); k++) specs.addAll(RnnLayer.specs(name, config, k));
        return specs;
    }

    /**
     * A layer over views of {@code weights} and {@code gradients}, whose owner closes them; the gradients may be null for a
     * layer that is never run back.
     */
    public SimpleRnn(Backend backend, SimpleRnnConfig config, String name, Parameters weights, Parameters gradients) {
        this.backend = backend;
        this.config = config;
        this.weights = weights;
        this.gradients = gradients;
        for (int k = 0; k < config.layers(); k++) {
            layers.add(new RnnLayer(backend, config, k, name, weights, gradients));
        }
        this.directions =
                layers.stream().flatMap(layer -> layer.directions().stream()).toList();
        this.output = new RnnOutput(backend, config);
        this.state = new RnnState(backend, config);
    }

    /**
     * How the names of the parameters of one direction begin, 0 forward, 1 reverse, as in {@code rnn.l1.reverse}. The first
     * layer has no number, the others count from l1, so that a layer alone is named as it always was.
     */
    public static String directionName(String name, int layer, int direction) {
        return name + (layer == 0 ? "" : ".l" + layer) + (direction == 0 ? ".forward" : ".reverse");
    }

    /** A layer with weights of its own, which begin as in Keras. */
    public static SimpleRnn create(Backend backend, SimpleRnnConfig config, long seed) {
        return create(backend, config, Initializers.kerasDefaults(), seed);
    }

    /** A layer with weights of its own. */
    public static SimpleRnn create(Backend backend, SimpleRnnConfig config, Initializers initializers, long seed) {
        List<Parameters.Spec> specs = specs("rnn", config);
        List<Parameters> pair = Parameters.allocatePair(backend, specs);
        SimpleRnn rnn = new SimpleRnn(backend, config, "rnn", pair.get(0), pair.get(1));
        rnn.owner = true;
        try {
            // Mixed: the first numbers of a Random are nearly those of the seed beside it.
            rnn.initialize(initializers, new Random(new SplittableRandom(seed).nextLong()));
        } catch (RuntimeException | Error e) {
            rnn.close();
            throw e;
        }
        return rnn;
    }

    /** Draws all weights anew, layer by layer and direction by direction: Wx, Wh, the biases. */
    public void initialize(Initializers initializers, Random random) {
        for (RnnDirection direction : directions) direction.initialize(initializers, random);
    }

    /** What it was made with; never changes. */
    public SimpleRnnConfig config() {
        return config;
    }

    /** All weights, with those of other layers where they lie in one memory: what an optimizer moves. */
    public Parameters weights() {
        return weights;
    }

    /** The gradients of {@link #weights()}; {@link #backward} adds to them. Null for a layer that is never run back. */
    public Parameters gradients() {
        return gradients;
    }

    /** Weights of one direction of one layer, to read or to set. */
    public SimpleRnnWeights weights(int direction) {
        return direction("weights", direction).weights();
    }

    /** Gradients of one direction of one layer; {@link #backward} adds to them. */
    public SimpleRnnWeights gradients(int direction) {
        return direction("gradients", direction).gradients();
    }

    /** The second bias [H] of one direction of one layer, or null. */
    public Tensor recurrentBias(int direction) {
        return direction("recurrentBias", direction).recurrentBias();
    }

    /** The gradient of {@link #recurrentBias}, or null. */
    public Tensor recurrentBiasGradient(int direction) {
        return direction("recurrentBiasGradient", direction).recurrentBiasGradient();
    }

    private RnnDirection direction(String operation, int number) {
        if (number < 0 || number >= directions.size()) {
            throw new IndexOutOfBoundsException(operation + ": the directions of this layer are numbered from 0 to "
                    + (directions.size() - 1) + ", but " + number + " was asked for.");
        }
        return directions.get(number);
    }

    /** Sets all of {@link #gradients()} to 0, those of other layers in the same memory too (PyTorch's zero_grad). */
    public void clearGradients() {
        WayBack.requireGradients("SimpleRnn.clearGradients", gradients);
        backend.fill(gradients.flat(), 0);
    }

    /** {@link #forward(Tensor, IntTensor, Tensor, Training)} from zeros, or, stateful, from where the last call ended. */
    public Tensor forward(Tensor x, IntTensor mask) {
        return forward(x, mask, null, null);
    }

    /** {@link #forward(Tensor, IntTensor, Tensor, Training)} with nothing dropped. */
    public Tensor forward(Tensor x, IntTensor mask, Tensor initialState) {
        return forward(x, mask, initialState, null);
    }

    /**
     * Runs the sequence.
     *
     * @param x [T,N,D], T at least 1 (empty rows are masked in all of their steps); must stay as it is until {@link
     *     #backward}
     * @param mask [T,N], 0 at masked steps, or null when every step is live
     * @param initialState [N,S]; null for zeros or, stateful, the stored state
     * @param training decides what is dropped; null for a call that predicts, where nothing is
     * @return [T,N,C] or [N,C], as {@link Output} says; must stay as it is until {@link #backward}, since it may be the states
     *     themselves
     * @throws ShapeMismatchException when a shape does not fit
     * @throws IllegalStateException when the stored state has another number of rows
     */
    public Tensor forward(Tensor x, IntTensor mask, Tensor initialState, Training training) {
        Shape shape = x.shape();
        if (shape.rank() != 3 || shape.extent(0) == 0 || shape.extent(2) != config.inputSize()) {
            throw new ShapeMismatchException(
                    "SimpleRnn.forward", "x", "[T,N,D] with T >= 1 and D = " + config.inputSize(), shape);
        }
        Tensor start = state.initial(initialState, shape.extent(1));
        SplittableRandom seeds = training == null ? null : new SplittableRandom(training.seed());
        int firstRow = training == null ? 0 : training.firstRow();
        this.mask = mask;
        outputShape = null; // a call that fails leaves nothing to go back through
        Tensor input = x;
        for (RnnLayer layer : layers) {
            layer.forward(input, mask, state, start, seeds, firstRow);
            if (layer != top()) input = layer.outputs();
        }
        Tensor y = output.forward(top().directions(), mask, start == null);
        // Only now: the start may be the stored state itself, and a call that failed has not moved it.
        state.store(directions, shape.extent(0));
        outputShape = y.shape();
        return y;
    }

    private RnnLayer top() {
        return layers.get(layers.size() - 1);
    }

    /** {@link #backward(Tensor, Tensor, boolean)} with no gradient from the final state, and with dx. */
    public Tensor backward(Tensor dy) {
        return backward(dy, null, true);
    }

    /**
     * Adds to the gradients of the weights. Gradients do not flow into the call before, stateful or not. A call that ends
     * with an exception other than those below may have added those of some layers: clear them before the next.
     *
     * @param dy gradient of what {@link #forward} returned, of the same shape
     * @param dFinalState gradient of {@link #state()} [N,S], or null
     * @param inputGradient whether to compute dx
     * @return dx [T,N,D], or null
     * @throws ShapeMismatchException when a shape does not fit
     * @throws IllegalStateException when there was no forward pass to go back through, or the layer has no gradients
     */
    public Tensor backward(Tensor dy, Tensor dFinalState, boolean inputGradient) {
        WayBack.requireGradients("SimpleRnn.backward", gradients);
        WayBack.requireForward("SimpleRnn.backward", outputShape);
        if (!dy.shape().equals(outputShape)) {
            String letters = config.output() == Output.SEQUENCE ? "[T,N,C] = " : "[N,C] = ";
            throw new ShapeMismatchException("SimpleRnn.backward", "dy", letters + outputShape, dy.shape());
        }
        output.backward(dy, top().directions(), mask);
        for (int k = layers.size() - 1; k > 0; k--) layers.get(k).backward(layers.get(k - 1), dFinalState, state);
        return layers.get(0).backward(dFinalState, state, inputGradient);
    }

    /** Gradient [N,H] of the initial state of one direction of one layer, after {@link #backward}. */
    public Tensor initialStateGradient(int direction) {
        return direction("initialStateGradient", direction).initialStateGradient();
    }

    /** The states [N,S] in which the last call ended; null before the first. Keras's {@code return_state}, torch's h_n. */
    public Tensor state() {
        return state.get();
    }

    /** Sets the states [N,S] with which the next call begins; for stateful layers. */
    public void setState(Tensor values) {
        state.set(values);
    }

    /** Sets the states [S] of one row; for stateful layers that have states. */
    public void setState(int row, float... values) {
        state.setRow(row, values);
    }

    /**
     * The next call begins with the states that the last one had after this many of its steps, 0 for those with which it
     * began; for stateful layers.
     *
     * @throws IllegalStateException when there was no call
     * @throws IndexOutOfBoundsException when it had fewer steps
     */
    public void resumeAfter(int steps) {
        state.requireStateful("resumeAfter");
        if (outputShape == null) {
            throw new IllegalStateException("resumeAfter: there is no call to resume. Call forward first.");
        }
        int all = directions.get(0).steps();
        if (steps < 0 || steps > all) {
            throw new IndexOutOfBoundsException(
                    "resumeAfter: steps must be at least 0 and at most T = " + all + ", but is " + steps + ".");
        }
        state.store(directions, steps);
    }

    /** The next call begins with zeros and may have any number of rows. */
    public void resetState() {
        state.reset();
    }

    /** The next call begins with zeros in these rows. */
    public void resetState(int... rows) {
        state.reset(rows);
    }

    @Override
    public void close() {
        layers.forEach(RnnLayer::close);
        output.close();
        state.close();
        if (!owner) return;
        weights.close();
        gradients.close();
    }
}
