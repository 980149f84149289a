package dev.elman.peers;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A model file of one RNN operator (opset 14, layout 0), written field by field; the numbers of the fields are those of
 * onnx.proto.
 */
final class OnnxModel {
    static final String INPUT = "X";

    private static final int IR_VERSION = 8;
    private static final int OPSET = 14;
    private static final int FLOAT = 1;
    private static final int INT_ATTRIBUTE = 2;

    private OnnxModel() {}

    static byte[] of(Problem problem) {
        Sizes sizes = problem.sizes();
        int d = sizes.d();
        int h = sizes.h();
        // The bias of the input, then that of the recurrence, which is 0.
        float[] biases = new float[2 * h];
        System.arraycopy(problem.b(), 0, biases, 0, h);
        Message hidden = new Message().text(1, "hidden_size").number(3, h).number(20, INT_ATTRIBUTE);
        Message node = new Message()
                .text(1, INPUT)
                .text(1, "W")
                .text(1, "R")
                .text(1, "B")
                .text(2, "Y")
                .text(4, "RNN")
                .message(5, hidden);
        Message graph = new Message()
                .message(1, node)
                .text(2, "elman")
                .message(5, tensor("W", Layouts.transpose(problem.wx(), d, h), 1, h, d))
                .message(5, tensor("R", Layouts.transpose(problem.wh(), h, h), 1, h, h))
                .message(5, tensor("B", biases, 1, 2 * h))
                .message(11, value(INPUT, sizes.t(), sizes.n(), d))
                .message(12, value("Y", sizes.t(), 1, sizes.n(), h));
        Message opset = new Message().text(1, "").number(2, OPSET);
        return new Message()
                .number(1, IR_VERSION)
                .message(7, graph)
                .message(8, opset)
                .toBytes();
    }

    private static Message tensor(String name, float[] values, long... extents) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        Message tensor = new Message();
        for (long extent : extents) tensor.number(1, extent);
        return tensor.number(2, FLOAT).text(8, name).bytes(9, bytes.array());
    }

    private static Message value(String name, long... extents) {
        Message shape = new Message();
        for (long extent : extents) shape.message(1, new Message().number(1, extent));
        Message type = new Message().number(1, FLOAT).message(2, shape);
        return new Message().text(1, name).message(2, new Message().message(1, type));
    }

    /** Of protocol buffers what is needed here: whole numbers, and what is preceded by its length. */
    private static final class Message {
        private static final int VARINT = 0;
        private static final int LENGTH_DELIMITED = 2;

        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message number(int field, long value) {
            varint((long) field << 3 | VARINT);
            varint(value);
            return this;
        }

        Message bytes(int field, byte[] value) {
            varint((long) field << 3 | LENGTH_DELIMITED);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return bytes(field, value.toBytes());
        }

        byte[] toBytes() {
            return out.toByteArray();
        }

        private void varint(long value) {
            long rest = value;
            for (; rest > 0x7f; rest >>>= 7) out.write((int) (rest & 0x7f | 0x80));
            out.write((int) rest);
        }
    }
}
