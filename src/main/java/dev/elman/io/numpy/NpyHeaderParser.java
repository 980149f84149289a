package dev.elman.io.numpy;

import dev.elman.io.DType;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the header of one array: a Python dictionary with three entries, in any order. */
final class NpyHeaderParser {
    private static final String DAMAGED = "The file is no .npy file or is damaged: write or copy it again";
    private static final Set<String> KEYS = Set.of("descr", "fortran_order", "shape");
    /** NumPy itself refuses longer ones, lest Python's parser be overrun. */
    private static final int MAX_LENGTH = 10_000;

    /** A key, a colon, and a string, a tuple, a list (of a structure's fields) or a word; then a comma or the end. */
    private static final Pattern ENTRY = Pattern.compile(
            "\\s*(['\"])(\\w{1,20})\\1\\s*:\\s*(?:(['\"])([^'\"]{0,200})\\3|(\\([^()]*\\)|\\[[^\\[\\]]*\\])|(\\w{1,20}))\\s*(,|$)");

    private static final Pattern COUNT = Pattern.compile("\\s*([0-9]{1,18})L?\\s*");

    private final Path file;
    private final String where;

    private NpyHeaderParser(Path file, String where) {
        this.file = file;
        this.where = where;
    }

    static NpyHeader parse(Path file, String where, byte[] bytes) throws ModelFileException {
        return new NpyHeaderParser(file, where).parse(bytes);
    }

    private NpyHeader parse(byte[] bytes) throws ModelFileException {
        int magic = NpyHeader.MAGIC.length;
        if (bytes.length < magic + 4) throw wrong("file", "at least 10 bytes", Integer.toString(bytes.length));
        if (!Arrays.equals(bytes, 0, magic, NpyHeader.MAGIC, 0, magic)) {
            throw wrong("bytes 0 to 5", "\\x93NUMPY", "something else");
        }
        int version = bytes[magic];
        if (version < 1 || version > 3) throw wrong("byte 6, the version", "1, 2 or 3", Integer.toString(version));
        int start = magic + 2 + (version == 1 ? 2 : 4);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < start) throw wrong("file", "at least 12 bytes", Integer.toString(bytes.length));
        long length = version == 1
                ? Short.toUnsignedLong(buffer.getShort(magic + 2))
                : Integer.toUnsignedLong(buffer.getInt(magic + 2));
        long most = Math.min(MAX_LENGTH, bytes.length - start);
        if (length > most) throw wrong("byte 8, the header's length", "at most " + most, Long.toString(length));
        int end = start + (int) length;
        String text = new String(bytes, start, (int) length, StandardCharsets.UTF_8);
        return header(entries(text), end);
    }

    private Map<String, String> entries(String text) throws ModelFileException {
        String dictionary = text.strip();
        if (!dictionary.startsWith("{") || !dictionary.endsWith("}")) {
            throw wrong("header", "a dictionary in braces", brief(dictionary));
        }
        String rest = dictionary.substring(1, dictionary.length() - 1).stripTrailing();
        Matcher entry = ENTRY.matcher(rest);
        Map<String, String> entries = new LinkedHashMap<>();
        int at = 0;
        while (at < rest.length()) {
            if (!entry.region(at, rest.length()).lookingAt()) {
                throw wrong("header", "entries 'name': value", brief(rest.substring(at)));
            }
            String value =
                    entry.group(4) != null ? entry.group(4) : entry.group(5) != null ? entry.group(5) : entry.group(6);
            if (entries.put(entry.group(2), value) != null) {
                throw wrong("header", "each name once", brief(entry.group(2)) + " again");
            }
            at = entry.end();
        }
        if (!entries.keySet().equals(KEYS)) {
            throw wrong(
                    "header", "descr, fortran_order and shape", entries.keySet().toString());
        }
        return entries;
    }

    private NpyHeader header(Map<String, String> entries, int length) throws ModelFileException {
        String order = entries.get("fortran_order");
        if (!order.equals("True") && !order.equals("False"))
            throw wrong("fortran_order", "True or False", brief(order));
        String descr = entries.get("descr");
        DType dtype = descr.length() < 2 ? null : NpyHeader.TYPES.get(descr.substring(1));
        char endian = descr.isEmpty() ? ' ' : descr.charAt(0);
        if (dtype == null || "<>|".indexOf(endian) < 0 || (endian == '|' && dtype.bytes() > 1)) {
            throw new ModelFileException(
                    file,
                    where + "descr",
                    "numbers: < or > and f2, f4, f8, i1 to i8, u1 to u8 or b1",
                    brief(descr),
                    "Save it as numbers, as in array.astype('<f4')");
        }
        return new NpyHeader(dtype, shape(entries.get("shape")), order.equals("True"), endian == '>', length);
    }

    private long[] shape(String tuple) throws ModelFileException {
        String inner =
                tuple.startsWith("(") ? tuple.substring(1, tuple.length() - 1).strip() : "?";
        if (inner.isEmpty()) return new long[0];
        boolean ended = inner.endsWith(",");
        String[] extents = (ended ? inner.substring(0, inner.length() - 1) : inner).split(",", -1);
        if (extents.length > NdArray.MAX_RANK || (extents.length == 1 && !ended))
            throw wrong("shape", "a tuple", brief(tuple));
        long[] shape = new long[extents.length];
        for (int axis = 0; axis < shape.length; axis++) {
            Matcher count = COUNT.matcher(extents[axis]);
            if (!count.matches()) throw wrong("shape", "a tuple of whole numbers", brief(tuple));
            shape[axis] = Long.parseLong(count.group(1));
        }
        return shape;
    }

    private static String brief(String text) {
        return ModelFileException.brief(text);
    }

    private ModelFileException wrong(String place, String expected, String found) {
        return damaged(file, where + place, expected, found);
    }

    static ModelFileException damaged(Path file, String place, String expected, String found) {
        return new ModelFileException(file, place, expected, found, DAMAGED);
    }
}
