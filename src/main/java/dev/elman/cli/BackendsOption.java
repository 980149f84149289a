package dev.elman.cli;

import dev.elman.Backends;
import java.util.List;
import java.util.stream.Stream;
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
        Stream<String> asked =
                required() ? Stream.of(name) : Backends.NAMES.stream().filter(each -> !each.equals(Backends.REFERENCE));
        return asked.flatMap(each -> each.equals(Backends.CUDA) ? Stream.of(each, Backends.CUDA_TF32) : Stream.of(each))
                .toList();
    }

    /** Whether one of them has to be there, since it was asked for by name. */
    boolean required() {
        return !name.equals(Backends.AUTO);
    }
}
