package dev.elman.softgpu;

import dev.elman.Backends;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** One step of a network and one softmax on CUDA: "all right", or what the backend said. */
final class BrokenKernelMain {
    private BrokenKernelMain() {}

    public static void main(String[] args) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // The plan whose kernels are broken.
        System.setProperty("elman.cuda.plan", "steps");
        try (Backend backend = Backends.open("cuda")) {
            SimpleRnnWeights weights =
                    new SimpleRnnWeights(filled(backend, 2, 31), filled(backend, 31, 31), filled(backend, 31));
            Tensor h = filled(backend, 2, 33, 31);
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, null);
            backend.simpleRnnForward(new SimpleRnnForward(weights, pass, filled(backend, 1, 33, 2), h));
            h.toFloats();
            Tensor y = filled(backend, 3, 40);
            backend.softmax(filled(backend, 3, 40), y);
            y.toFloats();
            out.println("all right");
        } catch (RuntimeException refused) {
            out.println("refused: " + refused.getMessage());
        }
    }

    private static Tensor filled(Backend backend, int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        backend.fill(tensor, 0.1);
        return tensor;
    }
}
