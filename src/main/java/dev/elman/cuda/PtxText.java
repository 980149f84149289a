package dev.elman.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * A shipped PTX file, as nvcc writes it: a head with version and target, then kernels that declare all they use.
 *
 * @param name of the file
 */
record PtxText(String name, String text) {
    /** Compute capabilities that PTX may be shipped for, newest first; each runs on all that follow it. */
    private static final int[] TARGETS = {90, 80, 75};

    private static final String ENTRY = "\n.visible .entry ";

    /** The newest PTX of {@code file} that a device of this compute capability (10 * major + minor) takes. */
    static PtxText read(String file, int capability) {
        for (int target : TARGETS) {
            String name = file + ".sm" + target + ".ptx";
            if (target > capability) continue;
            try (InputStream in = PtxText.class.getResourceAsStream(name)) {
                if (in != null) return new PtxText(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new UncheckedIOException("Cannot read " + name + " from the jar.", e);
            }
        }
        throw notWhole("There is no " + file + ".sm75.ptx");
    }

    /** The same with one kernel alone, in the lines where it stood, so that a message's line number holds. */
    PtxText alone(KernelEntry kernel) {
        int first = text.indexOf(ENTRY);
        int begin = text.indexOf(ENTRY + kernel.entry() + "(");
        if (begin < 0) throw notWhole("There is no " + kernel.entry() + " in the " + name);
        int end = text.indexOf(ENTRY, begin + 1);
        long before =
                text.substring(first, begin).chars().filter(c -> c == '\n').count();
        String body = end < 0 ? text.substring(begin) : text.substring(begin, end);
        return new PtxText(name, text.substring(0, first) + "\n".repeat((int) before) + body);
    }

    private static IllegalStateException notWhole(String what) {
        return new IllegalStateException(
                what + " in the package of " + PtxText.class.getName() + "; the jar is not whole.");
    }
}
