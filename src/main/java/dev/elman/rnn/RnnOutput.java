package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.IntBuffer;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.List;

/** What a {@link SimpleRnn} makes of the states of its top layer, and the way back. */
final class RnnOutput implements AutoCloseable {
    private final Backend backend;
    private final SimpleRnnConfig config;
    private final RnnMerge merge;
    private final TimeReversal reversal;
    private final Buffer y;
    private final Buffer turned;
    private final Buffer own;
    private final Buffer[] vectors;
    private final IntBuffer seen;
    private final IntBuffer[] argmax;
    private IntTensor keep;

    RnnOutput(Backend backend, SimpleRnnConfig config) {
        this.backend = backend;
        this.config = config;
        this.merge = new RnnMerge(backend, config);
        this.reversal = new TimeReversal(backend);
        this.y = new Buffer(backend);
        this.turned = new Buffer(backend);
        this.own = new Buffer(backend);
        this.seen = new IntBuffer(backend);
        this.vectors = new Buffer[config.directions()];
        this.argmax = new IntBuffer[config.directions()];
        for (int i = 0; i < config.directions(); i++) {
            vectors[i] = new Buffer(backend);
            argmax[i] = new IntBuffer(backend);
        }
    }

    /** @param fromZeros whether all rows began with zeros */
    Tensor forward(List<RnnDirection> directions, IntTensor mask, boolean fromZeros) {
        if (config.output() == Output.SEQUENCE) return sequence(directions, mask, fromZeros);
        if (config.output() == Output.LAST) keep = mask == null ? null : lastSeen(mask);
        Tensor first = vector(directions, 0, mask);
        if (directions.size() == 1) return first;
        Tensor out = y.of(Shape.of(first.shape().extent(0), config.outputSize()));
        merge.forward(first, vector(directions, 1, mask), out);
        return out;
    }

    private Tensor sequence(List<RnnDirection> directions, IntTensor mask, boolean fromZeros) {
        Tensor out = directions.get(0).outputs();
        boolean zero = directions.size() > 1 || config.zeroOutputForMask();
        keep = mask == null || zero ? mask : seen(mask, directions.get(0).reverse());
        if (directions.size() > 1) {
            Shape shape = out.shape();
            Tensor merged = y.of(Shape.of(shape.extent(0), shape.extent(1), config.outputSize()));
            merge.forward(out, directions.get(1).outputs(), merged);
            out = merged;
        }
        // Before its first live step a row has its initial state, and its output is 0.
        boolean already = fromZeros && !zero;
        if (keep != null && !already) {
            Tensor masked = y.of(out.shape());
            backend.maskRows(out, keep, masked);
            out = masked;
        }
        return config.goBackwards() ? reversal.of(out, turned) : out;
    }

    /** What direction i says of the whole sequence, [N,H]. */
    private Tensor vector(List<RnnDirection> directions, int i, IntTensor mask) {
        RnnDirection direction = directions.get(i);
        Tensor last = direction.finalState();
        Tensor vector = vectors[i].of(last.shape());
        switch (config.output()) {
            case MAX ->
                backend.poolForward(Pooling.MAX, direction.outputs(), mask, vector, argmax[i].of(vector.shape()));
            case MEAN -> backend.poolForward(Pooling.MEAN, direction.outputs(), mask, vector, null);
            default -> {
                if (keep == null) backend.copy(last, vector);
                else backend.maskRows(last, keep, vector);
            }
        }
        return vector;
    }

    /** Which rows have a live step at all: an empty row keeps its initial state, but its output is 0. */
    private IntTensor lastSeen(IntTensor mask) {
        IntTensor all = seen(mask, false);
        int steps = mask.shape().extent(0);
        int rows = mask.shape().extent(1);
        return all.view((long) (steps - 1) * rows, Shape.of(rows));
    }

    private IntTensor seen(IntTensor mask, boolean reverse) {
        IntTensor all = seen.of(mask.shape());
        backend.seenSteps(mask, reverse, all);
        return all;
    }

    /** Fills the state gradients of all directions with what dy, the gradient of the output, says of them. */
    void backward(Tensor dy, List<RnnDirection> directions, IntTensor mask) {
        // Into other memory than forward, for dy may be the output itself.
        Tensor inOrder = config.goBackwards() && config.output() == Output.SEQUENCE ? reversal.of(dy, own) : dy;
        for (int i = 0; i < directions.size(); i++) {
            Tensor dOutputs = directions.get(i).beginBackward();
            if (config.output() == Output.SEQUENCE) {
                Tensor other = directions.get(directions.size() - 1 - i).outputs();
                merge.backward(inOrder, i, other, dOutputs);
                if (keep != null) backend.maskRows(dOutputs, keep, dOutputs);
            } else {
                Tensor other = vectors[directions.size() - 1 - i].of(vectorShape(directions));
                Tensor dVector = own.of(other.shape());
                merge.backward(dy, i, other, dVector);
                vectorBackward(dVector, i, directions.get(i), dOutputs, mask);
            }
        }
    }

    private static Shape vectorShape(List<RnnDirection> directions) {
        return directions.get(0).finalState().shape();
    }

    private void vectorBackward(Tensor dVector, int i, RnnDirection direction, Tensor dOutputs, IntTensor mask) {
        switch (config.output()) {
            case MAX -> backend.poolBackward(Pooling.MAX, dVector, mask, argmax[i].of(dVector.shape()), dOutputs);
            case MEAN -> backend.poolBackward(Pooling.MEAN, dVector, mask, null, dOutputs);
            default -> {
                backend.fill(dOutputs, 0);
                if (keep == null) backend.copy(dVector, direction.finalStateGradient());
                else backend.maskRows(dVector, keep, direction.finalStateGradient());
            }
        }
    }

    @Override
    public void close() {
        reversal.close();
        y.close();
        turned.close();
        own.close();
        seen.close();
        for (Buffer vector : vectors) vector.close();
        for (IntBuffer indices : argmax) indices.close();
    }
}
