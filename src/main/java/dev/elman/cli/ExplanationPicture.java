package dev.elman.cli;

import dev.elman.io.AtomicFile;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;

/**
 * A column for each character of a text, cut by the probability of each label. The answer stands at the bottom, in the
 * strongest colour; a long text goes on in a second row of columns, as it would in a book. Needs java.desktop and a font; see
 * {@link Drawing}.
 */
final class ExplanationPicture {
    /** Pixels for each unit below: sharp on a screen of any density. */
    private static final int SCALE = 2;

    private static final int MARGIN = 36;
    private static final int AXIS = 44;
    private static final int HEAD = 62;
    private static final int HEIGHT = 220;
    private static final int LETTERS = 44;
    private static final int MOST_COLUMNS = 40;
    private static final int NARROWEST_COLUMN = 24;
    private static final int WIDEST_COLUMN = 40;
    private static final int WIDE_ENOUGH = 420;
    /** Room for the line below the title. */
    private static final int LEAST_WIDTH = 430;

    private static final int LONGEST_NAME = 260;
    private static final int SHARE = 72;
    private static final int KEY = 22;

    private static final Color INK = new Color(0x30, 0x30, 0x38);
    private static final Color FAINT = new Color(0x7A, 0x80, 0x8C);
    private static final Color GRID = new Color(0xE4, 0xE6, 0xEA);
    private static final Color OTHERS = new Color(0xE9, 0xEC, 0xF1);
    /** Told apart by people who do not see all colours, too (after Okabe and Ito). */
    private static final List<Color> COLORS = List.of(
            new Color(0x1F, 0x5F, 0xBF),
            new Color(0xF0, 0xA8, 0x1E),
            new Color(0x2A, 0xA8, 0x82),
            new Color(0xD9, 0x66, 0x4A),
            new Color(0xA9, 0x82, 0xC9),
            new Color(0x7D, 0xC3, 0xEE));

    private static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 18);
    private static final Font TEXT = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
    private static final Font STRONG = new Font(Font.SANS_SERIF, Font.BOLD, 13);
    private static final Font LETTER = new Font(Font.SANS_SERIF, Font.PLAIN, 17);

    private final Explanation explanation;
    private final List<String> steps;
    private final List<Integer> shown;
    private final int columns;
    private final int rows;
    private final double columnWidth;
    private final List<Entry> legend;
    private final int nameWidth;

    /** A line of the legend. */
    private record Entry(String name, Color color, double share) {}

    private ExplanationPicture(Explanation explanation) {
        this.explanation = explanation;
        steps = explanation.steps();
        shown = explanation.shown(COLORS.size());
        rows = (steps.size() + MOST_COLUMNS - 1) / MOST_COLUMNS;
        // Rows of like length rather than a last one of a single letter.
        columns = (steps.size() + rows - 1) / rows;
        columnWidth = Math.min(WIDEST_COLUMN, Math.max(NARROWEST_COLUMN, WIDE_ENOUGH / columns));
        legend = legend();
        nameWidth = nameWidth();
    }

    /** In the order of the stack, its top first. */
    private List<Entry> legend() {
        float[] last = explanation.probabilities()[steps.size() - 1];
        List<Entry> entries = new ArrayList<>();
        int hidden = explanation.labels().size() - shown.size();
        if (hidden > 0) {
            double rest = 1 - shown.stream().mapToDouble(k -> last[k]).sum();
            entries.add(new Entry(hidden == 1 ? "1 other" : hidden + " others", OTHERS, Math.max(0, rest)));
        }
        for (int i = shown.size() - 1; i >= 0; i--) {
            entries.add(new Entry(explanation.labels().get(shown.get(i)), COLORS.get(i), last[shown.get(i)]));
        }
        return entries;
    }

    private int nameWidth() {
        Graphics2D g = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        FontMetrics metrics = g.getFontMetrics(STRONG);
        int widest = legend.stream()
                .mapToInt(entry -> metrics.stringWidth(entry.name()))
                .max()
                .orElse(0);
        g.dispose();
        return Math.min(LONGEST_NAME, Math.max(60, widest));
    }

    static void write(Explanation explanation, Path file) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(new ExplanationPicture(explanation).draw(), "png", bytes);
        AtomicFile.replace(file, out -> bytes.writeTo(out));
    }

    private BufferedImage draw() {
        int legendLeft = MARGIN + AXIS + (int) (columns * columnWidth) + 24;
        int width = Math.max(MARGIN + LEAST_WIDTH, legendLeft + KEY + nameWidth + SHARE) + MARGIN;
        int height = MARGIN + HEAD + rows * (HEIGHT + LETTERS) + MARGIN / 2;
        BufferedImage image = new BufferedImage(SCALE * width, SCALE * height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.scale(SCALE, SCALE);
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, width, height);
        drawHead(g, width - 2 * MARGIN);
        for (int row = 0; row < rows; row++) drawRow(g, row, MARGIN + HEAD + row * (HEIGHT + LETTERS));
        drawLegend(g, legendLeft, MARGIN + HEAD);
        g.dispose();
        return image;
    }

    private void drawHead(Graphics2D g, int width) {
        g.setFont(TITLE);
        g.setColor(INK);
        g.drawString(fitting(g, "\u201C" + explanation.text() + "\u201D", width), MARGIN, MARGIN + 12);
        g.setFont(TEXT);
        g.setColor(FAINT);
        g.drawString("What the model says of the text up to and including each character", MARGIN, MARGIN + 34);
    }

    /** The text, or its beginning and an ellipsis. */
    private static String fitting(Graphics2D g, String text, int width) {
        if (g.getFontMetrics().stringWidth(text) <= width) return text;
        int end = text.length();
        while (end > 1 && g.getFontMetrics().stringWidth(text.substring(0, end) + "\u2026") > width) {
            end = text.offsetByCodePoints(end, -1);
        }
        return text.substring(0, end) + "\u2026";
    }

    private void drawRow(Graphics2D g, int row, int top) {
        int from = row * columns;
        int to = Math.min(steps.size(), from + columns);
        int left = MARGIN + AXIS;
        g.setFont(TEXT);
        for (int percent = 0; percent <= 100; percent += 50) {
            int y = top + HEIGHT - HEIGHT * percent / 100;
            g.setColor(GRID);
            g.drawLine(left, y, left + (int) (columns * columnWidth), y);
            g.setColor(FAINT);
            drawRight(g, percent + " %", left - 8, y + 5);
        }
        for (int step = from; step < to; step++) {
            double x = left + (step - from) * columnWidth;
            drawColumn(g, explanation.probabilities()[step], x, top);
            drawLetter(g, steps.get(step), x + columnWidth / 2, top + HEIGHT + 24);
        }
    }

    private void drawColumn(Graphics2D g, float[] probabilities, double x, int top) {
        double gap = 1.5;
        g.setColor(OTHERS);
        g.fill(new Rectangle2D.Double(x + gap, top, columnWidth - 2 * gap, HEIGHT));
        double bottom = top + HEIGHT;
        for (int i = 0; i < shown.size(); i++) {
            double height = HEIGHT * probabilities[shown.get(i)];
            g.setColor(COLORS.get(i));
            g.fill(new Rectangle2D.Double(x + gap, bottom - height, columnWidth - 2 * gap, height));
            bottom -= height;
        }
    }

    private static void drawLetter(Graphics2D g, String letter, double center, int y) {
        boolean blank = letter.isBlank();
        g.setFont(LETTER);
        g.setColor(blank ? FAINT : INK);
        String visible = blank ? "\u2423" : letter;
        g.drawString(visible, (float) (center - g.getFontMetrics().stringWidth(visible) / 2.0), y);
    }

    /** Beside the first row, with the shares of the last column. */
    private void drawLegend(Graphics2D g, int x, int top) {
        int right = x + KEY + nameWidth + SHARE;
        int head = top + HEIGHT - 24 * (legend.size() + 1) + 12;
        g.setFont(TEXT);
        g.setColor(FAINT);
        drawRight(g, "at the end", right, head);
        for (int i = 0; i < legend.size(); i++) {
            Entry entry = legend.get(i);
            int y = top + HEIGHT - 24 * (legend.size() - i) + 16;
            g.setColor(entry.color());
            g.fillRect(x, y - 11, 13, 13);
            g.setFont(i == legend.size() - 1 ? STRONG : TEXT);
            g.setColor(INK);
            g.drawString(fitting(g, entry.name(), nameWidth), x + KEY, y);
            drawRight(g, String.format(Locale.ROOT, "%.1f %%", 100 * entry.share()), right, y);
        }
    }

    private static void drawRight(Graphics2D g, String text, int right, int y) {
        g.drawString(text, right - g.getFontMetrics().stringWidth(text), y);
    }
}
