package dev.elman.cuda;

import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;

/** Closes a backend while its last kernel may still run. */
final class CloseMain {
    private CloseMain() {}

    public static void main(String[] args) {
        CudaBackend backend = CudaBackend.open();
        Tensor tensor = backend.allocate(Shape.of(1, 4)); // left to the backend: its own close waits
        backend.fill(tensor, 1);
        backend.softmax(tensor, tensor);
        backend.close();
    }
}
