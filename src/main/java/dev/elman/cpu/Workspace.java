package dev.elman.cpu;

import dev.elman.backend.Shape;

/** Memory for what lives within one operation; grows to the largest sizes asked for and then stays. */
final class Workspace implements AutoCloseable {
    /** Its own, so that it counts as nobody's tensor. */
    private final Allocations allocations = new Allocations();

    /** Numbers of tensors: the shares' own states or gradients, and what recurrent dropout leaves of the states. */
    static final int STATES = 0;

    static final int DROPPED = 1;

    private final CpuTensor[] tensors = new CpuTensor[2];

    /** Tensor number {@code number}, at least of this size and of unknown contents, until it is asked for again. */
    CpuTensor of(int number, Shape shape) {
        CpuTensor tensor = tensors[number];
        if (tensor == null || tensor.size() < shape.size()) {
            if (tensor != null) tensor.close();
            tensors[number] = null;
            tensors[number] = new CpuTensor(allocations.allocate(shape), shape);
        }
        return tensors[number];
    }

    @Override
    public void close() {
        allocations.close();
    }
}
