package dev.elman.cuda;

import dev.elman.backend.ChainLink;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Prints the chain, one link a line. */
final class ExamineMain {
    private ExamineMain() {}

    public static void main(String[] args) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (ChainLink link : CudaBackend.examine()) {
            out.println((link.ok() ? "ok" : "no") + " | " + link.name() + " | " + link.detail());
        }
    }
}
