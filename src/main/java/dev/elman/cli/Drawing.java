package dev.elman.cli;

import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Optional;
import javax.imageio.ImageIO;

/**
 * Whether this Java runtime can draw. A runtime made by jlink may lack java.desktop, a headless one its libraries, a
 * container all fonts; each shows in its own way, and only when something is drawn.
 */
final class Drawing {
    static final String REMEDY =
            "Use a complete JDK and install a font (Debian, Ubuntu: apt install fontconfig fonts-dejavu-core).";

    private Drawing() {}

    /** Something that draws and writes. */
    @FunctionalInterface
    interface Work {
        void run() throws IOException;
    }

    /**
     * Runs work that draws.
     *
     * @return why that was not possible here, where {@link #REMEDY} may help; empty when it was done
     * @throws IOException when what was drawn could not be written
     */
    static Optional<String> attempt(Work work) throws IOException {
        try {
            Probe.drawAWord();
            Probe.keepFromDisk();
            work.run();
            return Optional.empty();
        } catch (OutOfMemoryError e) {
            throw e;
        } catch (RuntimeException | Error e) {
            // Without a font the JDK throws a bare Error; without a library, one of several LinkageErrors.
            return Optional.of(reason(e));
        }
    }

    private static String reason(Throwable e) {
        if (ModuleLayer.boot().findModule("java.desktop").isEmpty()) {
            return "this Java runtime has no module java.desktop.";
        }
        Throwable root = e;
        while (root.getCause() != null) root = root.getCause();
        return "Java's graphics do not work here (" + Failures.oneLine(root.toString()) + ").";
    }

    /** Apart, so that its classes are looked for when it runs and not before. */
    private static final class Probe {
        static void drawAWord() {
            BufferedImage image = new BufferedImage(64, 16, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = image.createGraphics();
            graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
            graphics.drawString("elman", 0, 12);
            graphics.dispose();
        }

        /** Pictures are made in memory; ImageIO would write each to java.io.tmpdir first, where it may not be able to. */
        static void keepFromDisk() {
            ImageIO.setUseCache(false);
        }
    }
}
