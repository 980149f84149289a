package dev.elman.softgpu;

import dev.elman.Backends;
import dev.elman.reference.ReferenceBackend;
import dev.elman.verify.Bench;
import dev.elman.verify.Check;
import dev.elman.verify.Checks;
import dev.elman.verify.Result;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The contract's checks of dropout on CUDA: how many fail, and the first of them. */
final class DropoutChecksMain {
    private DropoutChecksMain() {}

    public static void main(String[] args) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (Bench bench = Bench.open(() -> Backends.open("cuda"), ReferenceBackend::new)) {
            List<Check> checks = Checks.all().stream()
                    .filter(check -> check.operation().equals("dropout"))
                    .toList();
            List<Result> failed = checks.stream()
                    .flatMap(check -> check.run(bench).stream())
                    .filter(result -> !result.passed())
                    .toList();
            out.println("failed: " + failed.size() + " of " + checks.size() + " checks");
            failed.stream().limit(1).forEach(result -> out.println(result.message()));
        }
    }
}
