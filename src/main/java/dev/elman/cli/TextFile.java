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

/** The lines of a text in UTF-8, and nothing else: what is not UTF-8 is refused with the number of its line. */
final class TextFile {
    private static final int BYTE_ORDER_MARK = 0xFEFF;

    private TextFile() {}

    /**
     * A line that is not blank.
     *
     * @param number counted from 1, blank lines too
     */
    record Line(int number, String text) {}

    /**
     * The lines of a file that are not blank.
     *
     * @throws UserException when the file is a folder, is not UTF-8, or has no such line
     */
    static List<Line> read(Path file) throws IOException {
        if (Files.isDirectory(file)) throw new UserException(file + ": is a folder, not a text file");
        List<String> all = lines(Files.readAllBytes(file), file.toString());
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            if (!all.get(i).isBlank()) lines.add(new Line(i + 1, all.get(i)));
        }
        if (lines.isEmpty()) throw new UserException(file + ": is empty; give at least a few lines of text");
        return lines;
    }

    /** All lines of a stream, blank ones too. */
    static List<String> readAll(InputStream in, String name) throws IOException {
        return lines(in.readAllBytes(), name);
    }

    /** Cut at line feeds, of which a last one ends a line; carriage returns before them go too. */
    private static List<String> lines(byte[] bytes, String name) {
        List<String> lines = new ArrayList<>();
        for (int from = 0; from < bytes.length; ) {
            int end = from;
            while (end < bytes.length && bytes[end] != '\n') end++;
            int length = end > from && bytes[end - 1] == '\r' ? end - 1 - from : end - from;
            lines.add(decode(ByteBuffer.wrap(bytes, from, length), name, lines.size() + 1));
            from = end + 1;
        }
        if (!lines.isEmpty() && lines.get(0).startsWith(Character.toString(BYTE_ORDER_MARK))) {
            lines.set(0, lines.get(0).substring(1));
        }
        return lines;
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
            // Said below.
        }
        throw new UserException(name + ": line " + number
                + " is not UTF-8 text. Convert the file first, for example with" + " iconv -f ISO-8859-1 -t UTF-8");
    }
}
