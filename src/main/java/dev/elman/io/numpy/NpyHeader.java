package dev.elman.io.numpy;

import dev.elman.io.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What stands before the data.
 *
 * @param length bytes of it all, up to where the data begin
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
record NpyHeader(DType dtype, long[] shape, boolean fortranOrder, boolean bigEndian, int length) {
    /** What every file begins with: a byte that no text has, and the name. */
    static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

    /** NumPy's kind letter and width. It has no bfloat16. */
    static final Map<String, DType> TYPES = Map.ofEntries(
            Map.entry("b1", DType.BOOL),
            Map.entry("u1", DType.U8),
            Map.entry("i1", DType.I8),
            Map.entry("u2", DType.U16),
            Map.entry("i2", DType.I16),
            Map.entry("f2", DType.F16),
            Map.entry("u4", DType.U32),
            Map.entry("i4", DType.I32),
            Map.entry("f4", DType.F32),
            Map.entry("u8", DType.U64),
            Map.entry("i8", DType.I64),
            Map.entry("f8", DType.F64));

    private static final int ALIGNMENT = 64;
    private static final int FIXED = MAGIC.length + 4;

    /** That of an array of ours: version 1.0, padded so that the data are aligned, as NumPy does it. */
    static byte[] bytes(DType dtype, long[] shape) {
        String extents = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
        String tuple = shape.length == 1 ? extents + "," : extents;
        String dictionary = "{'descr': '" + descr(dtype) + "', 'fortran_order': False, 'shape': (" + tuple + "), }";
        int text = dictionary.length() + 1;
        int total = (FIXED + text + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        String padded = dictionary + " ".repeat(total - FIXED - text) + "\n";
        return ByteBuffer.allocate(total)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(MAGIC)
                .put((byte) 1)
                .put((byte) 0)
                .putShort((short) padded.length())
                .put(padded.getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    private static String descr(DType dtype) {
        for (Map.Entry<String, DType> type : TYPES.entrySet()) {
            if (type.getValue() == dtype) return (dtype.bytes() == 1 ? "|" : "<") + type.getKey();
        }
        throw new IllegalArgumentException("NumPy has no type " + dtype + ". Turn the array into F32 first.");
    }
}
