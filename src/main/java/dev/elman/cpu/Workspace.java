package dev.elman.cpu;

import dev.elman.backend.Shape;

/** Memory for what lives within one operation; grows to the largest size asked for and then stays. */
final class Workspace implements AutoCloseable {
    /** Its own, so that it counts as nobody's tensor. */
    private final Allocations allocations = new Allocations();

    private CpuTensor tensor;

    /** A tensor of this shape, of unknown contents, until the next call. */
    CpuTensor of(Shape shape) {
        if (tensor == null || tensor.size() < shape.size()) {
            if (tensor != null) tensor.close();
            tensor = null;
            tensor = new CpuTensor(allocations.allocate(shape), shape);
        }
        return tensor;
    }

    @Override
    public void close() {
        allocations.close();
    }
}
