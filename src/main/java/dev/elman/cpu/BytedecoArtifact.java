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

    /** What to add to a project that has no native OpenBLAS on this platform. */
    static String remedy() {
        String platform = Loader.getPlatform();
        return "no OpenBLAS native for " + platform + "; add " + name("openblas") + ":" + platform + " and "
                + name("javacpp") + ":" + platform;
    }
}
