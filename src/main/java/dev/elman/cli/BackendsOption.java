package dev.elman.cli;

import dev.elman.Backends;
import java.util.List;
import picocli.CommandLine.Option;

/** The choice of backends to judge or to measure. */
final class BackendsOption {
    @Option(
            names = "--backend",
            paramLabel = "NAME",
            completionCandidates = BackendOption.Names.class,
            description = "Which one: ${COMPLETION-CANDIDATES} (default: each that opens here, but the reference).")
    private String name = Backends.AUTO;

    /** Those to try; cuda is two, for its products may be in TF32. */
    List<String> names() {
        if (name.equals(Backends.CUDA)) return List.of(Backends.CUDA, Backends.CUDA_TF32);
        if (!name.equals(Backends.AUTO)) return List.of(name);
        return List.of(Backends.CUDA, Backends.CUDA_TF32, Backends.CPU);
    }

    /** Whether one of them has to be there, since it was asked for by name. */
    boolean required() {
        return !name.equals(Backends.AUTO);
    }
}
