package dev.elman.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * The lines of a text in UTF-8, and nothing else: what is not UTF-8 is refused with the number of its line. A line ends with a
 * line feed, a carriage return or both, and has up to half a gigabyte.
 */
final class TextLines {
    private static final String BYTE_ORDER_MARK = "\uFEFF";
    /** Bytes of a line. */
    private static final int LONGEST = 1 << 29;

    private final InputStream in;
    private final String name;
    /** Bytes that were read and are in no line yet: from {@code from} to before {@code to}, up to {@code seen} without an end. */
    private byte[] bytes = new byte[1 << 16];

    private int from;
    private int seen;
    private int to;
    private boolean afterReturn;
    private int number;
    private UserException bad;

    /** @param name of the stream, for what is refused */
    TextLines(InputStream in, String name) {
        this.in = in;
        this.name = name;
    }

    /** How many lines were read. */
    int number() {
        return number;
    }

    /**
     * The next line and those after it that can be had without waiting, at most so many; none after the last.
     *
     * @throws UserException when the next line is no text, or cannot be read
     */
    List<String> some(int most) {
        List<String> some = new ArrayList<>();
        try {
            while (bad == null && some.size() < most && (some.isEmpty() || isReady())) {
                String line = next();
                if (line == null) break;
                some.add(line);
            }
        } catch (UserException e) {
            bad = e;
        } catch (IOException e) {
            bad = new UserException(name + ": line " + (number + 1) + " cannot be read: " + Failures.describe(e));
        } catch (OutOfMemoryError e) {
            bad = new UserException(name + ": line " + (number + 1) + " does not fit into memory (" + e.getMessage()
                    + "). Break it into lines, or give Java more, as in java -Xmx4g -jar elman.jar");
        }
        // Not before those that are good were taken.
        if (bad != null && some.isEmpty()) throw bad;
        return some;
    }

    /** All lines that are left. */
    List<String> all() throws IOException {
        List<String> all = new ArrayList<>();
        for (String line = next(); line != null; line = next()) all.add(line);
        return all;
    }

    /** The next line without its end; null after the last. */
    private String next() throws IOException {
        boolean more = true;
        while (!hasLine() && more) more = fill();
        if (from == to) return null;
        int end = seen;
        String line = decode(Arrays.copyOfRange(bytes, from, end), number + 1);
        number++;
        afterReturn = end < to && bytes[end] == '\r';
        from = Math.min(end + 1, to);
        seen = from;
        return line;
    }

    private boolean isReady() throws IOException {
        while (!hasLine()) {
            if (in.available() == 0 || !fill()) return false;
        }
        return true;
    }

    /** Whether there is a whole line; {@code seen} is its end then. */
    private boolean hasLine() {
        if (afterReturn && from < to) {
            if (bytes[from] == '\n') from++;
            seen = from;
            afterReturn = false;
        }
        while (seen < to && bytes[seen] != '\n' && bytes[seen] != '\r') seen++;
        return seen < to;
    }

    /** Reads more, if there is more. */
    private boolean fill() throws IOException {
        if (to == bytes.length) {
            int left = to - from;
            if (left > LONGEST) {
                throw new UserException(
                        name + ": line " + (number + 1) + " has more than " + LONGEST + " bytes; break it into lines");
            }
            byte[] larger = left > bytes.length / 2 ? new byte[2 * bytes.length] : bytes;
            System.arraycopy(bytes, from, larger, 0, left);
            bytes = larger;
            seen -= from;
            from = 0;
            to = left;
        }
        int count = in.read(bytes, to, bytes.length - to);
        if (count > 0) to += count;
        return count > 0;
    }

    private String decode(byte[] line, int number) {
        String marked = number == 1 ? marked(line) : null;
        if (marked != null) {
            throw new UserException(name + ": is " + marked
                    + " text. Convert the file first, for example with iconv -f " + marked + " -t UTF-8");
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(line))
                    .toString();
            if (text.indexOf('\0') < 0)
                return number == 1 && text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new UserException(name + ": line " + number
                    + " is not UTF-8 text. If it is text in another encoding, convert the file first, for example with"
                    + " iconv -f ISO-8859-1 -t UTF-8");
        }
        throw new UserException(
                name + ": line " + number + " holds a NUL character. If it is text all the same, in UTF-16"
                        + " without a mark for example, convert the file first: iconv -f UTF-16LE -t UTF-8, or tr -d '\\0'");
    }

    /** The encoding by whose byte order mark, in either order, the bytes begin; null for none. */
    private static String marked(byte[] bytes) {
        String first = HexFormat.of().formatHex(bytes, 0, Math.min(4, bytes.length));
        if (first.equals("fffe0000") || first.equals("0000feff")) return "UTF-32";
        return first.startsWith("fffe") || first.startsWith("feff") ? "UTF-16" : null;
    }
}
