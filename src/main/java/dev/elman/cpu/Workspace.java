package dev.elman.cpu;

import dev.elman.backend.Shape;

/** Memory for what lives within one operation; grows to the largest sizes asked for and then stays. */
final class Workspace implements AutoCloseable {
    /** Numbers of tensors: the shares' own states or gradients, and what recurrent dropout leaves of the states. */
    static final int STATES = 0;

    static final int DROPPED = 1;

    private final Allocations allocations;
    private final Memory[] memories = new Memory[2];

    Workspace(Allocations allocations) {
        this.allocations = allocations;
    }

    /** Tensor number {@code number}, of unknown contents, until it is asked for again. */
    CpuTensor of(int number, Shape shape) {
        if (memories[number] == null || memories[number].size() < shape.size()) {
            release(number);
            memories[number] = allocations.allocateBeside(shape);
        }
        return new CpuTensor(memories[number], shape);
    }

    private void release(int number) {
        if (memories[number] != null) memories[number].release();
        memories[number] = null;
    }

    @Override
    public void close() {
        for (int number = 0; number < memories.length; number++) release(number);
    }
}
