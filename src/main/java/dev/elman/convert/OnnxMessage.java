package dev.elman.convert;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A protobuf message, field by field in the order of the calls
 * (<a href="https://protobuf.dev/programming-guides/encoding/">encoding</a>).
 *
 * <p>Written here, as the dozen of them that a network takes: protobuf's library and ONNX's generated classes are twenty times
 * as large as all of elman.
 */
final class OnnxMessage {
    private static final int VARINT = 0;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED32 = 5;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    OnnxMessage number(int field, long value) {
        varint((long) field << 3 | VARINT);
        varint(value);
        return this;
    }

    OnnxMessage real(int field, float value) {
        varint((long) field << 3 | FIXED32);
        bytes.writeBytes(ByteBuffer.allocate(Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .array());
        return this;
    }

    OnnxMessage text(int field, String value) {
        return raw(field, value.getBytes(StandardCharsets.UTF_8));
    }

    OnnxMessage message(int field, OnnxMessage value) {
        return raw(field, value.toBytes());
    }

    OnnxMessage raw(int field, byte[] value) {
        varint((long) field << 3 | LENGTH_DELIMITED);
        varint(value.length);
        bytes.writeBytes(value);
        return this;
    }

    /** The fields of another message as fields of this one. */
    OnnxMessage append(OnnxMessage fields) {
        bytes.writeBytes(fields.toBytes());
        return this;
    }

    byte[] toBytes() {
        return bytes.toByteArray();
    }

    /** Seven bits a byte, the lowest first; the eighth says that there are more. */
    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            bytes.write((int) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        bytes.write((int) rest);
    }
}
