package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExplanationTest {
    private static final List<String> LABELS = List.of("a", "b", "c", "d");

    @TempDir
    private Path folder;

    @Test
    void theAnswerComesFirstAndThenWhatCameCloseAtAnyStep() {
        float[][] probabilities = {{.1f, .1f, .7f, .1f}, {.5f, .1f, .2f, .2f}, {.1f, .2f, .1f, .6f}};
        Explanation explanation = new Explanation("xyz", LABELS, probabilities);
        assertEquals(List.of(3, 0, 2), explanation.shown(3));
        assertEquals(List.of(3, 2), explanation.shown(2));
        assertEquals(List.of(3, 0, 1, 2), explanation.shown(6));
        assertEquals(List.of(0, 1, 2), new Explanation("x", LABELS, new float[][] {{.25f, .25f, .25f, .25f}}).shown(3));
    }

    @Test
    void aStepIsACharacterOfAnyWidth() {
        assertEquals(List.of("a", "\uD83D\uDE00"), new Explanation("a\uD83D\uDE00", LABELS, new float[2][4]).steps());
    }

    @Test
    void aColumnIsCutByTheProbabilities() throws IOException {
        BufferedImage image = draw("x", new float[][] {{.75f, .25f, 0, 0}});
        int blue = 0;
        int orange = 0;
        int x = 2 * (36 + 44 + 10);
        for (int y = 0; y < image.getHeight(); y++) {
            if ((image.getRGB(x, y) & 0xFFFFFF) == 0x1F5FBF) blue++;
            if ((image.getRGB(x, y) & 0xFFFFFF) == 0xF0A81E) orange++;
        }
        assertEquals(0.75, blue / (double) (blue + orange), 0.01);
    }

    @Test
    void aLongTextGoesOnInAnotherRow() throws IOException {
        BufferedImage one = draw("x".repeat(40), new float[40][4]);
        BufferedImage two = draw("x".repeat(41), new float[41][4]);
        assertTrue(two.getHeight() > 1.5 * one.getHeight(), one + " " + two);
        assertTrue(two.getWidth() < one.getWidth(), "and its rows are of like length");
    }

    private BufferedImage draw(String text, float[][] probabilities) throws IOException {
        Path file = folder.resolve("picture.png");
        ExplanationPicture.write(new Explanation(text, LABELS, probabilities), file);
        return ImageIO.read(file.toFile());
    }
}
