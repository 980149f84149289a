package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.IntBuffer;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Pooling;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.List;

/** What a {@link SimpleRnn} makes of the states of its directions, side by side, and the way back. */
final class RnnOutput implements AutoCloseable {
    private final Backend backend;
    private final Output output;
    private final int hidden;
    private final int directions;
    private final Buffer y;
    private final Buffer part;
    private final IntBuffer seen;
    private final IntBuffer[] argmax;
    private IntTensor keep;

    RnnOutput(Backend backend, SimpleRnnConfig config) {
        this.backend = backend;
        this.output = config.output();
        this.hidden = config.hiddenSize();
        this.directions = config.directions();
        this.y = new Buffer(backend);
        this.part = new Buffer(backend);
        this.seen = new IntBuffer(backend);
        this.argmax = new IntBuffer[directions];
        for (int i = 0; i < directions; i++) argmax[i] = new IntBuffer(backend);
    }

    Tensor forward(List<RnnDirection> parts, IntTensor mask) {
        Tensor first = parts.get(0).outputs();
        int rows = first.shape().extent(1);
        if (output == Output.SEQUENCE) return sequence(parts, mask);
        Tensor out = y.of(Shape.of(rows, directions * hidden));
        if (output == Output.LAST) keep = mask == null ? null : lastSeen(mask);
        for (int i = 0; i < directions; i++) {
            Tensor vector = directions == 1 ? out : part.of(Shape.of(rows, hidden));
            vector(parts.get(i), i, mask, vector);
            if (directions > 1) backend.copyColumns(vector, 0, out, i * hidden, hidden);
        }
        return out;
    }

    private Tensor sequence(List<RnnDirection> parts, IntTensor mask) {
        Tensor first = parts.get(0).outputs();
        keep = mask == null || directions > 1 ? mask : seen(mask, parts.get(0).reverse());
        if (directions == 1 && keep == null) return first;
        Shape shape = first.shape();
        Tensor out = y.of(Shape.of(shape.extent(0), shape.extent(1), directions * hidden));
        for (int i = 0; i < directions; i++) backend.copyColumns(parts.get(i).outputs(), 0, out, i * hidden, hidden);
        if (keep != null) backend.maskRows(out, keep, out);
        return out;
    }

    private void vector(RnnDirection direction, int i, IntTensor mask, Tensor vector) {
        switch (output) {
            case MAX ->
                backend.poolForward(Pooling.MAX, direction.outputs(), mask, vector, argmax[i].of(vector.shape()));
            case MEAN -> backend.poolForward(Pooling.MEAN, direction.outputs(), mask, vector, null);
            default -> {
                if (keep == null) backend.copy(direction.finalState(), vector);
                else backend.maskRows(direction.finalState(), keep, vector);
            }
        }
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

    /** Fills the state gradients of direction i with what dy, the gradient of the output, says of them. */
    void backward(Tensor dy, int i, RnnDirection direction, IntTensor mask) {
        Tensor dOutputs = direction.beginBackward();
        if (output == Output.SEQUENCE) {
            backend.copyColumns(dy, i * hidden, dOutputs, 0, hidden);
            if (keep != null) backend.maskRows(dOutputs, keep, dOutputs);
            return;
        }
        Tensor vector = dy;
        if (directions > 1) {
            vector = part.of(Shape.of(dy.shape().extent(0), hidden));
            backend.copyColumns(dy, i * hidden, vector, 0, hidden);
        }
        switch (output) {
            case MAX -> backend.poolBackward(Pooling.MAX, vector, mask, argmax[i].of(vector.shape()), dOutputs);
            case MEAN -> backend.poolBackward(Pooling.MEAN, vector, mask, null, dOutputs);
            default -> {
                backend.fill(dOutputs, 0);
                if (keep == null) backend.copy(vector, direction.finalStateGradient());
                else backend.maskRows(vector, keep, direction.finalStateGradient());
            }
        }
    }

    @Override
    public void close() {
        y.close();
        part.close();
        seen.close();
        for (IntBuffer indices : argmax) indices.close();
    }
}
