package dev.elman.cuda;

import dev.elman.backend.Activation;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Runs eight steps three times, so that they are captured and replayed, and tells how each run ended. */
final class GraphMain {
    private GraphMain() {}

    public static void main(String[] args) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (CudaBackend backend = CudaBackend.open(Settings.of("plan=graph"));
                Tensor wx = backend.allocate(Shape.of(0, 8));
                Tensor wh = backend.allocate(Shape.of(8, 8));
                Tensor x = backend.allocate(Shape.of(8, 3, 0));
                Tensor h = backend.allocate(Shape.of(9, 3, 8))) {
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, null);
            SimpleRnnForward forward = new SimpleRnnForward(new SimpleRnnWeights(wx, wh, null), pass, x, h);
            for (int i = 0; i < 3; i++) PoisonMain.answer(out, () -> backend.simpleRnnForward(forward));
        }
    }
}
