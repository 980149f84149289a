package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoTest {
    private static final DemoCommand.Size SMALL = new DemoCommand.Size(600, 8);

    @TempDir
    private Path folder;

    private Outcome demo(String... more) {
        String[] args = Outcome.line(
                List.of("--epochs=2", "--out", folder.resolve("demo").toString()), more);
        return Outcome.ofCommand(terminal -> new DemoCommand(terminal, SMALL), args);
    }

    @Test
    void tellsTrainsComparesAndWrites() throws IOException {
        Outcome outcome = demo();
        assertEquals(0, outcome.code(), outcome.err());
        String out = outcome.out();
        assertTrue(out.contains("600 names of countries"), out);
        assertTrue(out.contains("agrees with the reference"), out);
        assertTrue(out.contains("Epoch 2/2  loss "), out);
        assertTrue(out.contains("val_loss"), out);
        assertTrue(out.contains("most frequent language"), out);
        assertTrue(out.contains("bigram naive Bayes"), out);
        assertTrue(out.contains("trigram naive Bayes"), out);
        assertTrue(out.contains("Elman network"), out);
        assertTrue(out.contains("The network won") || out.contains("The network lost") || out.contains("a draw"), out);
        assertEquals(
                10,
                out.lines().filter(line -> line.matches("  (right|wrong)  .*")).count(),
                out);
        Path model = folder.resolve("demo/languages.safetensors");
        assertTrue(out.contains("Go on with: elman predict " + model + " \"new zealand\""), out);
        BufferedImage curve = ImageIO.read(folder.resolve("demo/curve.png").toFile());
        assertEquals(1400, curve.getWidth());
        BufferedImage confusion =
                ImageIO.read(folder.resolve("demo/confusion.png").toFile());
        assertEquals(1100, confusion.getWidth());

        Outcome asked = Outcome.of("predict", model.toString(), "deutschland");
        assertEquals(0, asked.code(), asked.err());
    }

    @Test
    void withoutPicturesWhenAsked() {
        Outcome outcome = demo("--no-pictures", "--backend", "reference");
        assertEquals(0, outcome.code(), outcome.err());
        assertFalse(outcome.out().contains(".png"), outcome.out());
        assertFalse(Files.exists(folder.resolve("demo/curve.png")));
        assertTrue(Files.exists(folder.resolve("demo/languages.safetensors")));
    }

    @Test
    void whereNothingCanBeDrawnThatIsSaid() throws IOException {
        assertTrue(Drawing.attempt(() -> {
                    throw new NoClassDefFoundError("java/awt/Font");
                })
                .orElseThrow()
                .contains("java/awt/Font"));
        assertTrue(Drawing.attempt(() -> {}).isEmpty());
    }

    @Test
    void drawingTakesNoFolderForTemporaryFiles() throws IOException {
        Path gone = Files.createDirectory(folder.resolve("gone"));
        ImageIO.setUseCache(true);
        ImageIO.setCacheDirectory(gone.toFile());
        try {
            Files.delete(gone);
            assertEquals(Optional.empty(), Drawing.attempt(() -> Pictures.probe()));
        } finally {
            ImageIO.setCacheDirectory(null);
        }
    }
}
