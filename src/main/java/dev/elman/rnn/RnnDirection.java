package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** One direction of one layer of a {@link SimpleRnn}: weights, states and their gradients. */
final class RnnDirection implements AutoCloseable {
    private static final String WX = ".wx";
    private static final String WH = ".wh";
    private static final String B = ".b";
    private static final String BH = ".bh";

    private final Backend backend;
    private final SimpleRnnConfig config;
    private final boolean reverse;
    private final SimpleRnnWeights weights;
    /** Null for a direction that is never run back. */
    private final SimpleRnnWeights gradients;

    /** The second bias [H] and its gradient; null without. */
    private final Tensor recurrentBias;

    private final Tensor recurrentBiasGradient;
    private final Buffer biasSum;
    private final Buffer biasSumGradient;
    private final Buffer kept;
    private final Buffer states;
    private final Buffer stateGradients;
    private SimpleRnnPass pass;
    private Dropout inputDropout;
    private Tensor x;
    private Tensor h;
    private Tensor dh;

    static List<Parameters.Spec> specs(String name, SimpleRnnConfig config, int layer) {
        int hidden = config.hiddenSize();
        List<Parameters.Spec> specs = new ArrayList<>();
        specs.add(new Parameters.Spec(name + WX, Shape.of(config.inputSize(layer), hidden)));
        specs.add(new Parameters.Spec(name + WH, Shape.of(hidden, hidden)));
        if (config.bias()) specs.add(new Parameters.Spec(name + B, Shape.of(hidden)));
        if (config.recurrentBias()) specs.add(new Parameters.Spec(name + BH, Shape.of(hidden)));
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
        this.recurrentBias = config.recurrentBias() ? weights.get(name + BH) : null;
        this.recurrentBiasGradient = recurrentBias == null || gradients == null ? null : gradients.get(name + BH);
        this.biasSum = new Buffer(backend);
        this.biasSumGradient = new Buffer(backend);
        this.kept = new Buffer(backend);
        this.states = new Buffer(backend);
        this.stateGradients = new Buffer(backend);
    }

    private SimpleRnnWeights views(String name, Parameters parameters) {
        return new SimpleRnnWeights(
                parameters.get(name + WX), parameters.get(name + WH), config.bias() ? parameters.get(name + B) : null);
    }

    void initialize(Initializers initializers, Random random) {
        int hidden = config.hiddenSize();
        int d = weights.wx().shape().extent(0);
        weights.wx().set(initializers.kernel().values(d, hidden, random));
        weights.wh().set(initializers.recurrent().values(hidden, hidden, random));
        if (config.bias()) weights.b().set(initializers.bias().values(1, hidden, random));
        if (recurrentBias != null) recurrentBias.set(initializers.bias().values(1, hidden, random));
    }

    SimpleRnnWeights weights() {
        return weights;
    }

    SimpleRnnWeights gradients() {
        return gradients;
    }

    Tensor recurrentBias() {
        return recurrentBias;
    }

    Tensor recurrentBiasGradient() {
        return recurrentBiasGradient;
    }

    boolean reverse() {
        return reverse;
    }

    /** [T,N,D] of the last call. */
    Shape inputShape() {
        return x.shape();
    }

    /**
     * Makes room for T steps of N rows and returns the slot [N,H] of the initial state, for the caller to fill.
     *
     * @param onInput what drops channels of x, null for nothing
     * @param onState what drops channels in front of Wh, null for nothing
     */
    Tensor begin(Tensor x, IntTensor mask, Dropout onInput, Dropout onState) {
        inputDropout = onInput;
        this.x = onInput == null ? x : kept.of(x.shape());
        if (onInput != null) backend.dropout(onInput, x, this.x);
        int steps = x.shape().extent(0);
        pass = new SimpleRnnPass(config.activation(), reverse, mask, onState);
        h = states.of(Shape.of(steps + 1, x.shape().extent(1), config.hiddenSize()));
        return slot(h, pass.initialSlot(steps));
    }

    /** What it takes to run from the initial state that {@link #begin} asked for. */
    SimpleRnnForward forwardOperands() {
        return new SimpleRnnForward(summed(), pass, x, h);
    }

    /** The weights as a step sees them: with the sum of two biases. */
    private SimpleRnnWeights summed() {
        if (recurrentBias == null) return weights;
        Tensor sum = biasSum.of(recurrentBias.shape());
        backend.copy(weights.b(), sum);
        backend.axpy(1, recurrentBias, sum);
        return new SimpleRnnWeights(weights.wx(), weights.wh(), sum);
    }

    /** States after each step, [T,N,H], each beside the input it belongs to. */
    Tensor outputs() {
        return pass.outputs(h);
    }

    /** The state [N,H] after the step that ran last. */
    Tensor finalState() {
        return slot(h, pass.finalSlot(steps()));
    }

    /** The state [N,H] after this many of the steps, in the order in which they ran. */
    Tensor stateAfter(int count) {
        return slot(h, reverse ? steps() - count : count);
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

    /** What it takes to run back from the gradients that {@link #beginBackward} asked for; dx [T,N,D] may be null. */
    SimpleRnnBackward backwardOperands(Tensor dx) {
        SimpleRnnWeights sums = gradients;
        if (recurrentBias != null) {
            Tensor ofBoth = biasSumGradient.of(recurrentBias.shape());
            backend.fill(ofBoth, 0);
            sums = new SimpleRnnWeights(gradients.wx(), gradients.wh(), ofBoth);
        }
        return new SimpleRnnBackward(new SimpleRnnForward(weights, pass, x, h), dh, dx, sums);
    }

    /** Hands on what the run back has left. */
    void endBackward(SimpleRnnBackward ran) {
        if (recurrentBias != null) {
            backend.axpy(1, ran.gradients().b(), gradients.b());
            backend.axpy(1, ran.gradients().b(), recurrentBiasGradient);
        }
        if (ran.dx() != null && inputDropout != null) backend.dropout(inputDropout, ran.dx(), ran.dx());
    }

    /** The gradient [N,H] of the initial state. */
    Tensor initialStateGradient() {
        if (dh == null) {
            throw new IllegalStateException("SimpleRnn.initialStateGradient: there is none yet. Call backward first.");
        }
        return slot(dh, pass.initialSlot(steps()));
    }

    /** T of the last call. */
    int steps() {
        return h.shape().extent(0) - 1;
    }

    private static Tensor slot(Tensor buffer, int slot) {
        return buffer.slice(slot, 1)
                .reshape(Shape.of(buffer.shape().extent(1), buffer.shape().extent(2)));
    }

    @Override
    public void close() {
        biasSum.close();
        biasSumGradient.close();
        kept.close();
        states.close();
        stateGradients.close();
    }
}
