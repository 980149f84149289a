package dev.elman.cuda;

import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Launches a kernel on memory that nobody owns, and tells how the backend answers from then on, or, where it is to close first, from that on. */
final class PoisonMain {
    private PoisonMain() {}

    public static void main(String[] args) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        CudaBackend backend = CudaBackend.open();
        Tensor tensor = backend.allocate(Shape.of(64));
        answer(
                out,
                () -> backend.kernels()
                        .get(Kernel.CLIP_VALUE)
                        .pointer(0x10000)
                        .real(1)
                        .count(64)
                        .over(64));
        if (Boolean.getBoolean("closeFirst")) {
            for (int i = 0; i < 3; i++) answer(out, tensor::close);
            answer(out, () -> backend.fill(tensor, 1));
            out.println("live tensors: " + backend.liveTensors());
            answer(out, backend::close);
            return;
        }
        answer(out, tensor::toFloats);
        answer(out, tensor::toFloats);
        answer(out, () -> backend.fill(tensor, 1));
        answer(out, () -> backend.allocate(Shape.of(1)));
        answer(out, tensor::close);
        answer(out, backend::close);
    }

    static void answer(PrintStream out, Runnable call) {
        try {
            call.run();
            out.println("answer: none");
        } catch (IllegalStateException refused) {
            out.println("answer: " + refused.getMessage());
        }
    }
}
