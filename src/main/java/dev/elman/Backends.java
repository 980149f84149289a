package dev.elman;

import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import dev.elman.backend.ChainLink;
import dev.elman.cpu.CpuBackend;
import dev.elman.cuda.CudaBackend;
import dev.elman.reference.ReferenceBackend;
import java.util.List;

/** Front door: opens a backend by name, or the best one there is, and says which and why. */
public final class Backends {
    /** Opens whatever is best on this machine. */
    public static final String AUTO = "auto";

    /** An NVIDIA GPU. */
    public static final String CUDA = "cuda";

    /** {@link #CUDA} with its matrix products in TF32, in float32 before compute capability 8.0; {@link #AUTO} never chooses it. */
    public static final String CUDA_TF32 = "cuda-tf32";

    /** The processors. */
    public static final String CPU = "cpu";

    /** Plain loops in double, for checking. */
    public static final String REFERENCE = "reference";

    /** The backends that {@link #open} takes beside {@link #AUTO} and {@link #CUDA_TF32}, fastest first. */
    public static final List<String> NAMES = List.of(CUDA, CPU, REFERENCE);

    private static final System.Logger LOG = System.getLogger(Backends.class.getName());

    private Backends() {}

    /**
     * The opened backend, and why better ones were passed over.
     *
     * @param backend to be closed by the caller
     * @param passedOver one sentence for each backend that would have come first, with the reason
     */
    public record Choice(Backend backend, List<String> passedOver) {}

    /**
     * The best backend on this machine; the choice is logged.
     *
     * @return to be closed by the caller
     * @throws IllegalArgumentException when a system property of a backend that it tries has an invalid value
     */
    public static Backend open() {
        return open(AUTO);
    }

    /**
     * The backend of this name, or, for {@link #AUTO}, the best one; the choice is logged.
     *
     * @return to be closed by the caller
     * @throws BackendUnavailableException when it cannot be opened here, saying why and what to do
     * @throws IllegalArgumentException when there is no backend of this name, and as in {@link #open()}
     */
    public static Backend open(String name) {
        return choose(name).backend();
    }

    /** The CPU backend with this many threads. */
    public static Backend openCpu(int threads) {
        return CpuBackend.open(threads);
    }

    /**
     * The GPU of this number among those that the driver shows, for the calling thread.
     *
     * @throws BackendUnavailableException when it cannot be opened here, saying why and what to do
     * @throws IllegalArgumentException as in {@link #open()}
     */
    public static Backend openCuda(int device) {
        return CudaBackend.open(device);
    }

    /** {@link #open(String)}, with the reasons. */
    public static Choice choose(String name) {
        Choice choice = AUTO.equals(name) ? best() : new Choice(named(name), List.of());
        choice.passedOver().forEach(reason -> LOG.log(System.Logger.Level.INFO, "passed over: {0}", reason));
        LOG.log(System.Logger.Level.INFO, "using {0}", choice.backend().description());
        return choice;
    }

    /** Every link from this JVM to the GPU that {@code cuda} would use, up to the first that does not hold. */
    public static List<ChainLink> cudaLinks() {
        return CudaBackend.examine();
    }

    private static Choice best() {
        try {
            return new Choice(named(CUDA), List.of());
        } catch (BackendUnavailableException e) {
            return new Choice(named(CPU), List.of(e.getMessage()));
        }
    }

    private static Backend named(String name) {
        return switch (String.valueOf(name)) {
            case CUDA -> CudaBackend.open();
            case CUDA_TF32 -> CudaBackend.open(true);
            case CPU -> CpuBackend.open();
            case REFERENCE -> new ReferenceBackend();
            default ->
                throw new IllegalArgumentException("There is no backend \"" + name + "\". Choose auto, " + CUDA_TF32
                        + " or one of " + NAMES + ".");
        };
    }
}
