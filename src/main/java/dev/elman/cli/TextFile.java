package dev.elman.cli;

import dev.elman.text.TextPreprocessing;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A text file, read line by line as {@link TextLines} does.
 *
 * @param lines without their ends, blank ones too; composed, as the models read them
 */
record TextFile(Path file, List<String> lines) {
    /** What Java puts in place of what it cannot read in the locale's encoding. */
    private static final char LOST = '\uFFFD';

    /** Composes the lines, so that labels and numbers of characters are the same whichever way a file is written. */
    TextFile {
        lines = lines.stream().map(TextPreprocessing::composed).toList();
    }

    /** @param number of a line, counted from 1, blank lines too */
    record Line(int number, String text) {}

    /**
     * Reads a file.
     *
     * @throws UserException when the file is a folder, is not UTF-8, or has no line that is not blank
     */
    static TextFile read(Path file) throws IOException {
        if (Files.isDirectory(file)) throw new UserException(file + ": is a folder, not a text file");
        List<String> lines;
        try (InputStream in = Files.newInputStream(file)) {
            lines = new TextLines(in, file.toString()).all();
        }
        if (lines.stream().allMatch(String::isBlank)) {
            String found = lines.isEmpty() ? "is empty" : "has nothing but blank lines";
            throw new UserException(file + ": " + found + "; give at least a few lines of text");
        }
        return new TextFile(file, lines);
    }

    /**
     * Whether something of it was lost on the command line, which Java reads in the locale's encoding. In UTF-8 the sign for it
     * may be the user's own and is taken as such.
     */
    static boolean isLost(String text) {
        return text.indexOf(LOST) >= 0 && !"UTF-8".equals(System.getProperty("sun.jnu.encoding"));
    }

    /** Refuses what was lost on the command line. */
    static void requireReadable(String text) {
        if (isLost(text)) {
            throw new UserException("the text \"" + text + "\" cannot be read in this locale's encoding;"
                    + " set LC_ALL=C.UTF-8, or, for predict, send texts to the standard input, which is read as UTF-8");
        }
    }

    /** The lines that are not blank. */
    List<Line> filled() {
        List<Line> filled = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isBlank()) filled.add(new Line(i + 1, lines.get(i)));
        }
        return filled;
    }

    /** Whether most lines that are not blank have a tab. */
    boolean isMostlyTabbed() {
        List<Line> filled = filled();
        return 2 * filled.stream().filter(line -> line.text().contains("\t")).count() > filled.size();
    }

    /** All of it, with a line feed between lines. */
    String text() {
        return String.join("\n", lines);
    }
}
