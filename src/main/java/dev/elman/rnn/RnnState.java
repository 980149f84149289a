package dev.elman.rnn;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.Tensor;
import java.util.List;

/** The states [N,S] of a {@link SimpleRnn} between two calls: layer by layer, the directions of each side by side. */
final class RnnState implements AutoCloseable {
    private final Backend backend;
    private final SimpleRnnConfig config;
    private final Buffer part;
    private Tensor memory;
    /** In memory, of as many rows as the last call. */
    private Tensor stored;

    private boolean begins;

    RnnState(Backend backend, SimpleRnnConfig config) {
        this.backend = backend;
        this.config = config;
        this.part = new Buffer(backend);
    }

    /** What a call with this many rows begins with: the given states, the stored ones, or null for zeros. */
    Tensor initial(Tensor given, int rows) {
        if (given != null) {
            check("SimpleRnn.forward", "initialState", Shape.of(rows, config.stateSize()), given.shape());
            return given;
        }
        if (!begins) return null;
        if (stored.shape().extent(0) != rows) {
            throw new IllegalStateException("This SimpleRnn is stateful with N = "
                    + stored.shape().extent(0) + " rows, but was called with N = " + rows
                    + ". Call resetState() before a batch of another size.");
        }
        return stored;
    }

    /** Copies part i of the states into that direction's initial slot [N,H]. */
    void load(Tensor states, int i, Tensor slot) {
        if (states == null) backend.fill(slot, 0);
        else backend.copyColumns(states, i * config.hiddenSize(), slot, 0, config.hiddenSize());
    }

    /** Remembers the states [N,H] that all directions, layer by layer, had after this many steps. */
    void store(List<RnnDirection> directions, int steps) {
        int rows = directions.get(0).stateAfter(steps).shape().extent(0);
        stored = room(Shape.of(rows, config.stateSize()));
        for (int i = 0; i < directions.size(); i++) {
            Tensor state = directions.get(i).stateAfter(steps);
            backend.copyColumns(state, 0, stored, i * config.hiddenSize(), config.hiddenSize());
        }
        begins = config.stateful();
    }

    /** What was stored goes only once there is more memory: a call that gets none changes nothing. */
    private Tensor room(Shape shape) {
        if (memory == null || memory.shape().size() < shape.size()) {
            Tensor larger = backend.allocate(shape);
            close(memory);
            memory = larger;
        }
        return memory.view(0, shape);
    }

    /** Adds part i of a gradient [N,S] of the final states to that direction's own. */
    void addGradient(Tensor dStates, int i, Tensor dFinalState) {
        check("SimpleRnn.backward", "dFinalState", stored.shape(), dStates.shape());
        Tensor own = part.of(dFinalState.shape());
        backend.copyColumns(dStates, i * config.hiddenSize(), own, 0, config.hiddenSize());
        backend.axpy(1, own, dFinalState);
    }

    Tensor get() {
        return stored;
    }

    void set(Tensor values) {
        requireStateful("setState");
        int rows = values.shape().rank() == 2 ? values.shape().extent(0) : 0;
        check("setState", "the state", Shape.of(rows, config.stateSize()), values.shape());
        Tensor copy = part.of(values.shape()); // they may be part of the stored ones
        backend.copy(values, copy);
        stored = room(values.shape());
        backend.copy(copy, stored);
        begins = true;
    }

    void setRow(int row, float... values) {
        requireStateful("setState");
        requireRow("setState", row);
        stored.slice(row, 1).set(values);
    }

    void reset() {
        begins = false;
    }

    void reset(int... rows) {
        requireStateful("resetState");
        for (int row : rows) requireRow("resetState", row);
        for (int row : rows) backend.fill(stored.slice(row, 1), 0);
    }

    void requireStateful(String operation) {
        if (!config.stateful()) {
            throw new IllegalStateException(
                    operation
                            + ": this SimpleRnn is not stateful. Configure it withStateful(true), or pass initialState to forward.");
        }
    }

    private void requireRow(String operation, int row) {
        if (!begins) {
            throw new IllegalStateException(
                    operation + ": there is no stored state yet. Call forward or setState(Tensor) first.");
        }
        if (row < 0 || row >= stored.shape().extent(0)) {
            throw new IndexOutOfBoundsException(operation + ": row must be at least 0 and below N = "
                    + stored.shape().extent(0) + ", but is " + row + ".");
        }
    }

    private static void check(String operation, String operand, Shape expected, Shape given) {
        if (!given.equals(expected)) {
            throw new ShapeMismatchException(operation, operand, "[N,S] = " + expected, given);
        }
    }

    @Override
    public void close() {
        close(memory);
        part.close();
    }

    private static void close(Tensor memory) {
        if (memory != null) memory.close();
    }
}
