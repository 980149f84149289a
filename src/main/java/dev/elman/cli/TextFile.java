package dev.elman.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A text in UTF-8, and nothing else: what is not UTF-8 is refused with the number of its line. A line ends with a line feed,
 * a carriage return or both, and is as long as it likes.
 *
 * @param lines without their ends, blank ones too
 */
record TextFile(Path file, List<String> lines) {
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    /** What Java puts in place of what it cannot read in the locale's encoding. */
    static final char LOST = '\uFFFD';

    /** @param number of a line, counted from 1, blank lines too */
    record Line(int number, String text) {}

    /**
     * Reads a file.
     *
     * @throws UserException when the file is a folder, is not UTF-8, or has no line that is not blank
     */
    static TextFile read(Path file) throws IOException {
        if (Files.isDirectory(file)) throw new UserException(file + ": is a folder, not a text file");
        List<String> lines = lines(Files.readAllBytes(file), file.toString());
        if (lines.stream().allMatch(String::isBlank)) {
            throw new UserException(file + ": is empty; give at least a few lines of text");
        }
        return new TextFile(file, lines);
    }

    /** All lines of a stream, blank ones too. */
    static List<String> readAll(InputStream in, String name) throws IOException {
        return lines(in.readAllBytes(), name);
    }

    /** Refuses what was lost on the command line, which Java reads in the locale's encoding. */
    static void requireReadable(String text) {
        if (text.indexOf(LOST) >= 0) {
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

    private static List<String> lines(byte[] bytes, String name) {
        if (isUtf16(bytes)) {
            throw new UserException(
                    name + ": is UTF-16 text. Convert the file first, for example with iconv -f UTF-16 -t UTF-8");
        }
        List<String> lines = new ArrayList<>();
        for (int from = 0; from < bytes.length; ) {
            int end = from;
            while (end < bytes.length && bytes[end] != '\n' && bytes[end] != '\r') end++;
            lines.add(decode(ByteBuffer.wrap(bytes, from, end - from), name, lines.size() + 1));
            boolean both = end + 1 < bytes.length && bytes[end] == '\r' && bytes[end + 1] == '\n';
            from = end + (both ? 2 : 1);
        }
        if (!lines.isEmpty() && lines.get(0).startsWith(BYTE_ORDER_MARK)) {
            lines.set(0, lines.get(0).substring(1));
        }
        return lines;
    }

    /** Whether the bytes begin with the byte order mark of either order. */
    private static boolean isUtf16(byte[] bytes) {
        if (bytes.length < 2) return false;
        int mark = (bytes[0] & 0xFF) << 8 | (bytes[1] & 0xFF);
        return mark == 0xFEFF || mark == 0xFFFE;
    }

    private static String decode(ByteBuffer bytes, String name, int number) {
        try {
            String line = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(bytes)
                    .toString();
            if (line.indexOf('\0') < 0) return line;
        } catch (CharacterCodingException e) {
            throw new UserException(name + ": line " + number
                    + " is not UTF-8 text. If it is text in another encoding, convert the file first, for example with"
                    + " iconv -f ISO-8859-1 -t UTF-8");
        }
        throw new UserException(
                name + ": line " + number + " holds a NUL character. If it is text all the same, in UTF-16"
                        + " without a mark for example, convert the file first: iconv -f UTF-16LE -t UTF-8, or tr -d '\\0'");
    }
}
