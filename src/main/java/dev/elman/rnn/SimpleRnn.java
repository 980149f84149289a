package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Elman's recurrent layer over a sequence, in one direction or two: h_t = activation(x_t Wx + h_(t-1) Wh + b). With T = 1
 * it is the single step. Shapes are time-major; {@link Sequences} turns [N,T,D] arrays into them.
 *
 * <p>What {@code forward} and {@code backward} return belongs to the layer and is overwritten by its next call.
 */
public final class SimpleRnn implements AutoCloseable {
    private final Backend backend;
    private final SimpleRnnConfig config;
    private final List<RnnDirection> directions = new ArrayList<>();
    private final RnnOutput output;
    private final RnnState state;
    private final Buffer dx;
    private final Buffer dxOfOne;
    private final List<Parameters> owned = new ArrayList<>();
    private IntTensor mask;
    /** Of what the last {@link #forward} returned; null before the first. */
    private Shape outputShape;

    /** The parameters that a layer of this name needs: {@code name.forward.wx}, {@code .wh}, {@code .b}, and {@code name.reverse...}. */
    public static List<Parameters.Spec> specs(String name, SimpleRnnConfig config) {
        List<Parameters.Spec> specs = new ArrayList<>(RnnDirection.specs(name + ".forward", config));
        if (config.bidirectional()) specs.addAll(RnnDirection.specs(name + ".reverse", config));
        return specs;
    }

    /**
     * A layer over views of {@code weights} and {@code gradients}, whose owner closes them; the gradients may be null for a
     * layer that is never run back.
     */
    public SimpleRnn(Backend backend, SimpleRnnConfig config, String name, Parameters weights, Parameters gradients) {
        this.backend = backend;
        this.config = config;
        directions.add(new RnnDirection(backend, config, false, name + ".forward", weights, gradients));
        if (config.bidirectional()) {
            directions.add(new RnnDirection(backend, config, true, name + ".reverse", weights, gradients));
        }
        this.output = new RnnOutput(backend, config);
        this.state = new RnnState(backend, config);
        this.dx = new Buffer(backend);
        this.dxOfOne = new Buffer(backend);
    }

    /** A layer with weights of its own, which begin as in Keras: Glorot uniform, orthogonal, zeros. */
    public static SimpleRnn create(Backend backend, SimpleRnnConfig config, long seed) {
        List<Parameters.Spec> specs = specs("rnn", config);
        Parameters weights = Parameters.allocate(backend, specs);
        Parameters gradients = Parameters.allocate(backend, specs);
        SimpleRnn rnn = new SimpleRnn(backend, config, "rnn", weights, gradients);
        rnn.owned.add(weights);
        rnn.owned.add(gradients);
        rnn.initialize(Initializer.glorotUniform(), Initializer.orthogonal(), Initializer.zeros(), new Random(seed));
        return rnn;
    }

    /** Draws all weights anew, direction by direction: Wx, Wh, b. */
    public void initialize(Initializer kernel, Initializer recurrent, Initializer bias, Random random) {
        for (RnnDirection direction : directions) direction.initialize(kernel, recurrent, bias, random);
    }

    public SimpleRnnConfig config() {
        return config;
    }

    /** Weights of direction 0 (forward) or 1 (reverse), to read or to set. */
    public SimpleRnnWeights weights(int direction) {
        return directions.get(direction).weights();
    }

    /** Gradients of direction 0 or 1; {@link #backward} adds to them. */
    public SimpleRnnWeights gradients(int direction) {
        return directions.get(direction).gradients();
    }

    /** Sets all gradients to 0. */
    public void clearGradients() {
        for (RnnDirection direction : directions) {
            SimpleRnnWeights gradients = direction.gradients();
            backend.fill(gradients.wx(), 0);
            backend.fill(gradients.wh(), 0);
            if (gradients.b() != null) backend.fill(gradients.b(), 0);
        }
    }

    /** {@link #forward(Tensor, IntTensor, Tensor)} from zeros, or, stateful, from where the last call ended. */
    public Tensor forward(Tensor x, IntTensor mask) {
        return forward(x, mask, null);
    }

    /**
     * Runs the sequence.
     *
     * @param x [T,N,D], T at least 1 (empty rows are masked in all of their steps); must stay as it is until {@link
     *     #backward}
     * @param mask [T,N], 0 at masked steps, or null when every step is live
     * @param initialState [N,C], the directions side by side; null for zeros or, stateful, the stored state
     * @return [T,N,C] or [N,C], as {@link Output} says
     * @throws ShapeMismatchException when a shape does not fit
     * @throws IllegalStateException when the stored state has another number of rows
     */
    public Tensor forward(Tensor x, IntTensor mask, Tensor initialState) {
        Shape shape = x.shape();
        if (shape.rank() != 3 || shape.extent(0) == 0 || shape.extent(2) != config.inputSize()) {
            throw new ShapeMismatchException(
                    "SimpleRnn.forward", "x", "[T,N,D] with T >= 1 and D = " + config.inputSize(), shape);
        }
        int rows = shape.extent(1);
        Tensor start = state.initial(initialState, rows);
        this.mask = mask;
        for (int i = 0; i < directions.size(); i++) {
            Tensor slot = directions.get(i).begin(x, mask);
            state.load(start, i, slot);
            directions.get(i).forward();
        }
        for (int i = 0; i < directions.size(); i++)
            state.store(directions.get(i).finalState(), i, rows);
        Tensor y = output.forward(directions, mask);
        outputShape = y.shape();
        return y;
    }

    /** {@link #backward(Tensor, Tensor, boolean)} with no gradient from the final state, and with dx. */
    public Tensor backward(Tensor dy) {
        return backward(dy, null, true);
    }

    /**
     * Adds to the gradients of the weights. Gradients do not flow into the call before, stateful or not.
     *
     * @param dy gradient of what {@link #forward} returned, of the same shape
     * @param dFinalState gradient of {@link #state()} [N,C], or null
     * @param inputGradient whether to compute dx
     * @return dx [T,N,D], or null
     * @throws ShapeMismatchException when a shape does not fit
     * @throws IllegalStateException when there was no forward pass to go back through
     */
    public Tensor backward(Tensor dy, Tensor dFinalState, boolean inputGradient) {
        if (outputShape == null) {
            throw new IllegalStateException(
                    "SimpleRnn.backward: there is nothing to go back through. Call forward first.");
        }
        if (!dy.shape().equals(outputShape)) {
            String letters = config.output() == Output.SEQUENCE ? "[T,N,C] = " : "[N,C] = ";
            throw new ShapeMismatchException("SimpleRnn.backward", "dy", letters + outputShape, dy.shape());
        }
        Tensor sum = null;
        for (int i = 0; i < directions.size(); i++) {
            RnnDirection direction = directions.get(i);
            output.backward(dy, i, direction, mask);
            if (dFinalState != null) state.addGradient(dFinalState, i, direction.finalStateGradient());
            Tensor part = inputGradient ? (i == 0 ? dx : dxOfOne).of(direction.inputShape()) : null;
            direction.backward(part);
            if (i == 0) sum = part;
            else if (inputGradient) backend.axpy(1, part, sum);
        }
        return sum;
    }

    /** Gradient [N,H] of the initial state of one direction, after {@link #backward}. */
    public Tensor initialStateGradient(int direction) {
        return directions.get(direction).initialStateGradient();
    }

    /** The states [N,C] in which the last call ended, the directions side by side; null before the first. */
    public Tensor state() {
        return state.get();
    }

    /** Sets the states [N,C] with which the next call begins; for stateful layers. */
    public void setState(Tensor values) {
        state.set(values);
    }

    /** Sets the states [C] of one row; for stateful layers that have states. */
    public void setState(int row, float... values) {
        state.setRow(row, values);
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
        directions.forEach(RnnDirection::close);
        output.close();
        state.close();
        dx.close();
        dxOfOne.close();
        owned.forEach(Parameters::close);
    }
}
