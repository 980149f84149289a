package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** One layer of a {@link SimpleRnn}: the directions that read the same input. */
final class RnnLayer implements AutoCloseable {
    private final Backend backend;
    private final SimpleRnnConfig config;
    private final int number;
    private final List<RnnDirection> directions = new ArrayList<>();
    private final Buffer joined;
    private final Buffer dJoined;
    private final Buffer dx;
    private final Buffer dxOfSecond;
    private Dropout above;

    static List<Parameters.Spec> specs(String name, SimpleRnnConfig config, int number) {
        List<Parameters.Spec> specs = new ArrayList<>();
        for (int i = 0; i < config.directions(); i++) {
            specs.addAll(RnnDirection.specs(SimpleRnn.directionName(name, number, i), config, number));
        }
        return specs;
    }

    RnnLayer(
            Backend backend,
            SimpleRnnConfig config,
            int number,
            String name,
            Parameters weights,
            Parameters gradients) {
        this.backend = backend;
        this.config = config;
        this.number = number;
        for (int i = 0; i < config.directions(); i++) {
            boolean reverse = config.goBackwards() || i == 1;
            String direction = SimpleRnn.directionName(name, number, i);
            directions.add(new RnnDirection(backend, config, reverse, direction, weights, gradients));
        }
        this.joined = new Buffer(backend);
        this.dJoined = new Buffer(backend);
        this.dx = new Buffer(backend);
        this.dxOfSecond = new Buffer(backend);
    }

    List<RnnDirection> directions() {
        return directions;
    }

    /**
     * Runs all directions, from these states [N,S] or, if null, from zeros.
     *
     * @param random draws the seeds of what is dropped, as many whatever the rates are; null for dropping nothing
     */
    void forward(Tensor x, IntTensor mask, RnnState state, Tensor start, SplittableRandom random, int firstRow) {
        for (int i = 0; i < directions.size(); i++) {
            RnnDirection direction = directions.get(i);
            Dropout onInput = dropout(number == 0 ? config.inputDropout() : 0, random, firstRow, true);
            Dropout onState = dropout(config.recurrentDropout(), random, firstRow, true);
            Tensor slot = direction.begin(x, mask, onInput, onState);
            state.load(start, index(i), slot);
        }
        SimpleRnnForward first = directions.get(0).forwardOperands();
        if (directions.size() == 1) backend.simpleRnnForward(first);
        else backend.bidirectionalForward(first, directions.get(1).forwardOperands());
        boolean last = number == config.layers() - 1;
        above = dropout(last ? 0 : config.layerDropout(), random, firstRow, false);
    }

    private static Dropout dropout(double rate, SplittableRandom random, int firstRow, boolean variational) {
        if (random == null) return null;
        long seed = random.nextLong();
        return rate == 0 ? null : new Dropout(rate, seed, firstRow, variational);
    }

    /** Where direction i stands among those of all layers. */
    private int index(int i) {
        return number * directions.size() + i;
    }

    /** What the layer above reads: the directions side by side, with what is dropped there. */
    Tensor outputs() {
        Tensor first = directions.get(0).outputs();
        if (directions.size() == 1 && above == null) return first;
        Tensor all = joined.of(joinedShape());
        if (directions.size() == 1) {
            backend.dropout(above, first, all);
            return all;
        }
        for (int i = 0; i < directions.size(); i++) {
            backend.copyColumns(directions.get(i).outputs(), 0, all, i * config.hiddenSize(), config.hiddenSize());
        }
        if (above != null) backend.dropout(above, all, all);
        return all;
    }

    /** Room for the gradient of {@link #outputs}: where it will be needed, if there is only one direction. */
    private Tensor outputGradient() {
        if (directions.size() == 1) return directions.get(0).beginBackward();
        return dJoined.of(joinedShape());
    }

    private Shape joinedShape() {
        Shape first = directions.get(0).outputs().shape();
        return Shape.of(first.extent(0), first.extent(1), directions.size() * config.hiddenSize());
    }

    /** Hands {@link #outputGradient}, now filled, on to the directions. */
    private void takeOutputGradient(Tensor dOutputs) {
        if (above != null) backend.dropout(above, dOutputs, dOutputs);
        if (directions.size() == 1) return;
        for (int i = 0; i < directions.size(); i++) {
            Tensor own = directions.get(i).beginBackward();
            backend.copyColumns(dOutputs, i * config.hiddenSize(), own, 0, config.hiddenSize());
        }
    }

    /** Runs back to the layer below, which then has its gradients. */
    void backward(RnnLayer below, Tensor dFinalState, RnnState state) {
        Tensor sum = below.outputGradient();
        backward(dFinalState, state, sum);
        below.takeOutputGradient(sum);
    }

    /** Runs back to x, where the gradient is asked for; returns dx [T,N,D] or null. */
    Tensor backward(Tensor dFinalState, RnnState state, boolean inputGradient) {
        Tensor sum = inputGradient ? dx.of(directions.get(0).inputShape()) : null;
        backward(dFinalState, state, sum);
        return sum;
    }

    private void backward(Tensor dFinalState, RnnState state, Tensor sum) {
        if (dFinalState != null) {
            for (int i = 0; i < directions.size(); i++) {
                state.addGradient(dFinalState, index(i), directions.get(i).finalStateGradient());
            }
        }
        SimpleRnnBackward one = directions.get(0).backwardOperands(sum);
        if (directions.size() == 1) {
            backend.simpleRnnBackward(one);
            directions.get(0).endBackward(one);
            return;
        }
        Tensor sumOfSecond = sum == null ? null : dxOfSecond.of(sum.shape());
        SimpleRnnBackward other = directions.get(1).backwardOperands(sumOfSecond);
        backend.bidirectionalBackward(one, other);
        directions.get(0).endBackward(one);
        directions.get(1).endBackward(other);
        if (sum != null) backend.axpy(1, sumOfSecond, sum);
    }

    @Override
    public void close() {
        directions.forEach(RnnDirection::close);
        joined.close();
        dJoined.close();
        dx.close();
        dxOfSecond.close();
    }
}
