package dev.elman.cpu;

import java.io.IOException;
import org.bytedeco.javacpp.Loader;

/** Maven coordinates of what Bytedeco ships, for messages. */
final class BytedecoArtifact {
    private BytedecoArtifact() {}

    /** {@code org.bytedeco:name:version}, with the version found on the class path. */
    static String name(String name) {
        String version = null;
        try {
            version = Loader.getVersion("org.bytedeco", name);
        } catch (IOException e) {
            // A jar that was repacked without its Maven properties still works.
        }
        return "org.bytedeco:" + name + ":" + (version == null ? "VERSION" : version);
    }

    /** What to do in a project whose native OpenBLAS for this platform does not load. */
    static String remedy() {
        String platform = Loader.getPlatform();
        String file = "org/bytedeco/openblas/" + platform + "/" + System.mapLibraryName("jniopenblas_nolapack");
        if (BytedecoArtifact.class.getClassLoader().getResource(file) != null) {
            return "OpenBLAS's native for " + platform
                    + " is there and does not load; it is unpacked into a folder that"
                    + " must have room and let libraries be loaded: choose one with -Dorg.bytedeco.javacpp.cachedir";
        }
        return "no OpenBLAS native for " + platform + "; add " + name("openblas") + ":" + platform + " and "
                + name("javacpp") + ":" + platform;
    }
}
