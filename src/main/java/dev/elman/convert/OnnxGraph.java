package dev.elman.convert;

import dev.elman.io.DType;
import dev.elman.io.NdArray;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A graph as it grows: nodes in the order in which they run, constants, inputs and outputs. Field numbers are those of
 * <a href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto">onnx.proto</a>.
 */
final class OnnxGraph {
    /** TensorProto.DataType. */
    static final int FLOAT = 1;

    static final int INT32 = 6;
    static final int INT64 = 7;
    static final int BOOL = 9;

    private static final String PRODUCER = "elman";
    private static final int ATTRIBUTE_FLOATS = 6;
    private static final int ATTRIBUTE_INT = 2;
    private static final int ATTRIBUTE_STRING = 3;
    private static final int ATTRIBUTE_INTS = 7;
    private static final int ATTRIBUTE_STRINGS = 8;

    private final OnnxMessage nodes = new OnnxMessage();
    private final OnnxMessage constants = new OnnxMessage();
    private final OnnxMessage inputs = new OnnxMessage();
    private final OnnxMessage outputs = new OnnxMessage();
    private int count;

    /** Adds a node with one result and returns the result's name. */
    String node(String operator, List<String> arguments, OnnxMessage... attributes) {
        String result = operator.toLowerCase(Locale.ROOT) + "_" + ++count;
        node(operator, arguments, List.of(result), attributes);
        return result;
    }

    /** Adds a node; an argument without a name is left out. */
    void node(String operator, List<String> arguments, List<String> results, OnnxMessage... attributes) {
        OnnxMessage node = new OnnxMessage();
        arguments.forEach(argument -> node.text(1, argument));
        results.forEach(result -> node.text(2, result));
        node.text(3, results.get(0)).text(4, operator);
        for (OnnxMessage attribute : attributes) node.message(5, attribute);
        nodes.message(1, node);
    }

    /** Adds an F32, I32 or I64 array and returns its name. */
    String constant(String name, NdArray array) {
        OnnxMessage tensor = new OnnxMessage();
        for (long extent : array.shape()) tensor.number(1, extent);
        ByteBuffer elements = array.bytes();
        byte[] raw = new byte[elements.remaining()];
        elements.get(raw);
        int type = array.dtype() == DType.F32 ? FLOAT : array.dtype() == DType.I32 ? INT32 : INT64;
        constants.message(5, tensor.number(2, type).text(8, name).raw(9, raw));
        return name;
    }

    /** Adds whole numbers as a constant vector. */
    String vector(long... values) {
        return constant("constant_" + ++count, NdArray.ofLongs(values, values.length));
    }

    /** Adds a whole number as a constant scalar. */
    String scalar(long value) {
        return constant("constant_" + ++count, NdArray.ofLongs(new long[] {value}));
    }

    /** Adds a number as a constant scalar. */
    String scalar(float value) {
        return constant("constant_" + ++count, NdArray.ofFloats(new float[] {value}));
    }

    void input(String name, int type, String... extents) {
        inputs.message(11, value(name, type, extents));
    }

    void output(String name, int type, String... extents) {
        outputs.message(12, value(name, type, extents));
    }

    /** An extent is a number, or a letter where it may differ from call to call. */
    private static OnnxMessage value(String name, int type, String... extents) {
        OnnxMessage shape = new OnnxMessage();
        for (String extent : extents) {
            boolean fixed = Character.isDigit(extent.charAt(0));
            shape.message(
                    1, fixed ? new OnnxMessage().number(1, Long.parseLong(extent)) : new OnnxMessage().text(2, extent));
        }
        OnnxMessage tensor = new OnnxMessage().number(1, type).message(2, shape);
        return new OnnxMessage().text(1, name).message(2, new OnnxMessage().message(1, tensor));
    }

    static OnnxMessage integer(String name, long value) {
        return new OnnxMessage().text(1, name).number(3, value).number(20, ATTRIBUTE_INT);
    }

    static OnnxMessage integers(String name, long... values) {
        OnnxMessage attribute = new OnnxMessage().text(1, name);
        for (long value : values) attribute.number(8, value);
        return attribute.number(20, ATTRIBUTE_INTS);
    }

    static OnnxMessage word(String name, String value) {
        return new OnnxMessage().text(1, name).text(4, value).number(20, ATTRIBUTE_STRING);
    }

    static OnnxMessage words(String name, List<String> values) {
        OnnxMessage attribute = new OnnxMessage().text(1, name);
        values.forEach(value -> attribute.text(9, value));
        return attribute.number(20, ATTRIBUTE_STRINGS);
    }

    static OnnxMessage reals(String name, int count, float value) {
        OnnxMessage attribute = new OnnxMessage().text(1, name);
        for (int i = 0; i < count; i++) attribute.real(7, value);
        return attribute.number(20, ATTRIBUTE_FLOATS);
    }

    /** The bytes of a model file. */
    byte[] toModel(int opset, Map<String, String> metadata) {
        OnnxMessage graph = new OnnxMessage();
        graph.append(nodes).text(2, PRODUCER).append(constants).append(inputs).append(outputs);
        OnnxMessage model = new OnnxMessage()
                .number(1, opset < 15 ? 7 : 8) // the format's version when the opset came out, or shortly after
                .text(2, PRODUCER)
                .message(7, graph)
                .message(8, new OnnxMessage().text(1, "").number(2, opset));
        metadata.forEach(
                (key, value) -> model.message(14, new OnnxMessage().text(1, key).text(2, value)));
        return model.toBytes();
    }
}
