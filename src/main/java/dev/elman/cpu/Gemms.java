package dev.elman.cpu;

import dev.elman.backend.BackendUnavailableException;

/** Chooses the product: OpenBLAS where it loads, else plain Java; a system property forces one. */
final class Gemms {
    static final String PROPERTY = "elman.cpu.gemm";

    private Gemms() {}

    static Gemm open() {
        String wanted = System.getProperty(PROPERTY, "");
        return switch (wanted) {
            case "" -> openBlas(false);
            case "openblas" -> openBlas(true);
            case "java" -> new JavaGemm("asked for by -D" + PROPERTY);
            default ->
                throw new IllegalArgumentException(PROPERTY + " must be openblas or java, but is \"" + wanted
                        + "\"; leave it out to take OpenBLAS where it loads and plain Java elsewhere.");
        };
    }

    private static Gemm openBlas(boolean required) {
        try {
            OpenBlas.load();
            return PanelGemm.suits() ? new PanelGemm() : new OpenBlasGemm();
        } catch (LinkageError | RuntimeException e) {
            Throwable cause = innermost(e);
            String reason = remedy(cause) + " (" + cause + ")";
            if (required) throw new BackendUnavailableException("cpu: " + reason, e);
            return new JavaGemm(reason);
        }
    }

    private static Throwable innermost(Throwable e) {
        Throwable inner = e;
        while (inner.getCause() != null) inner = inner.getCause();
        return inner;
    }

    private static String remedy(Throwable cause) {
        // By name: the second time it is in the words of another.
        if (cause.toString().contains(IllegalCallerException.class.getName())) {
            return "Java lets no native code in; start it with --enable-native-access=ALL-UNNAMED, on the module path with"
                    + " --enable-native-access=org.bytedeco.javacpp,org.bytedeco.openblas";
        }
        try {
            return BytedecoArtifact.remedy();
        } catch (LinkageError e) {
            return "no OpenBLAS; add org.bytedeco:openblas and org.bytedeco:javacpp, and their natives for this platform";
        }
    }
}
