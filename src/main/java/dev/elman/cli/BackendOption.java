package dev.elman.cli;

import dev.elman.Backends;
import java.util.Iterator;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** The choice of a backend. */
final class BackendOption {
    @Option(
            names = "--backend",
            paramLabel = "NAME",
            defaultValue = Backends.AUTO,
            completionCandidates = Names.class,
            description = "Where to compute: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}, the fastest here);"
                    + " cuda-tf32 is cuda with its products in TF32.")
    private String name;

    Backends.Choice choose() {
        return Backends.choose(name);
    }

    /** All names, for help and shell completion. */
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            Stream<String> named = Stream.concat(Backends.NAMES.stream(), Stream.of(Backends.CUDA_TF32));
            return Stream.concat(Stream.of(Backends.AUTO), named).iterator();
        }
    }
}
