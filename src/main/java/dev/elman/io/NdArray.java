package dev.elman.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;

/** One array: element type, extents (none for a scalar, 0 allowed), elements in C order. Immutable. */
public final class NdArray {
    /** As many axes as NumPy has; files with more are refused. */
    public static final int MAX_RANK = 64;

    /** What files may hold, so that it fits a long. */
    private static final long MAX_EXTENT = 999_999_999_999_999_999L;
    /** Largest array of bytes that every JVM can make. */
    static final int MOST_BYTES = Integer.MAX_VALUE - 8;

    private final DType dtype;
    private final long[] shape;
    private final byte[] data;

    /** Takes the arrays as they are, without a copy. */
    NdArray(DType dtype, long[] shape, byte[] data) {
        this.dtype = dtype;
        this.shape = shape;
        this.data = data;
        long expected = Math.multiplyExact(elements(shape), dtype.bytes());
        if (expected != data.length) {
            throw new IllegalArgumentException("expected " + expected + " bytes for " + dtype + " "
                    + Arrays.toString(shape) + ", found " + data.length);
        }
    }

    /** An F32 array; {@code shape} must have as many elements as there are values. */
    public static NdArray ofFloats(float[] values, long... shape) {
        byte[] data = allocate(DType.F32, values.length, shape);
        view(data).asFloatBuffer().put(values);
        return new NdArray(DType.F32, shape.clone(), data);
    }

    /** An F64 array; {@code shape} must have as many elements as there are values. */
    public static NdArray ofDoubles(double[] values, long... shape) {
        byte[] data = allocate(DType.F64, values.length, shape);
        view(data).asDoubleBuffer().put(values);
        return new NdArray(DType.F64, shape.clone(), data);
    }

    /** An I32 array; {@code shape} must have as many elements as there are values. */
    public static NdArray ofInts(int[] values, long... shape) {
        byte[] data = allocate(DType.I32, values.length, shape);
        view(data).asIntBuffer().put(values);
        return new NdArray(DType.I32, shape.clone(), data);
    }

    /** An I64 array; {@code shape} must have as many elements as there are values. */
    public static NdArray ofLongs(long[] values, long... shape) {
        byte[] data = allocate(DType.I64, values.length, shape);
        view(data).asLongBuffer().put(values);
        return new NdArray(DType.I64, shape.clone(), data);
    }

    /** An array of any type from its little-endian bytes. */
    public static NdArray ofBytes(DType dtype, byte[] bytes, long... shape) {
        return new NdArray(dtype, shape.clone(), bytes.clone());
    }

    /** An array of any type from its little-endian bytes, those that remain in the buffer. */
    public static NdArray ofBytes(DType dtype, ByteBuffer bytes, long... shape) {
        byte[] data = new byte[bytes.remaining()];
        bytes.duplicate().get(data);
        return new NdArray(dtype, shape.clone(), data);
    }

    /** The same from bytes in Fortran's order: its first index runs fastest, C's last. */
    public static NdArray ofFortranBytes(DType dtype, ByteBuffer bytes, long... shape) {
        NdArray array = new NdArray(dtype, shape.clone(), new byte[bytes.remaining()]);
        array.fillFromFortran(bytes);
        return array;
    }

    /** Walks the target in order and keeps the place in the source. */
    private void fillFromFortran(ByteBuffer source) {
        int width = dtype.bytes();
        long[] index = new long[shape.length];
        long[] strides = new long[shape.length];
        long stride = width;
        for (int axis = 0; axis < shape.length; axis++) {
            strides[axis] = stride;
            stride *= shape[axis];
        }
        long from = source.position();
        for (int to = 0; to < data.length; to += width) {
            source.get((int) from, data, to, width);
            for (int axis = shape.length - 1; axis >= 0; axis--) {
                from += strides[axis];
                if (++index[axis] < shape[axis]) break;
                from -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }
    }

    /** The element type; of the typed accessors, only the one for it does not throw. */
    public DType dtype() {
        return dtype;
    }

    /** The extents, outermost first, as a copy; of length 0 for a scalar. */
    public long[] shape() {
        return shape.clone();
    }

    /** Whether these are all extents, in their order; with none, whether this is a scalar. */
    public boolean hasShape(long... extents) {
        return Arrays.equals(shape, extents);
    }

    /** How many elements there are: the product of the shape. */
    public int size() {
        return data.length / dtype.bytes();
    }

    /** The elements, little endian, as a view that cannot be written to. */
    public ByteBuffer bytes() {
        return ByteBuffer.wrap(data).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Writes the elements, little endian. */
    void writeTo(OutputStream out) throws IOException {
        out.write(data);
    }

    /** A copy of the elements. Throws {@link IllegalStateException} if the type is not F32. */
    public float[] floats() {
        float[] values = new float[require(DType.F32, "floats")];
        bytes().asFloatBuffer().get(values);
        return values;
    }

    /** A copy of the elements. Throws {@link IllegalStateException} if the type is not F64. */
    public double[] doubles() {
        double[] values = new double[require(DType.F64, "doubles")];
        bytes().asDoubleBuffer().get(values);
        return values;
    }

    /** A copy of the elements. Throws {@link IllegalStateException} if the type is not I32. */
    public int[] ints() {
        int[] values = new int[require(DType.I32, "ints")];
        bytes().asIntBuffer().get(values);
        return values;
    }

    /** A copy of the elements. Throws {@link IllegalStateException} if the type is not I64. */
    public long[] longs() {
        long[] values = new long[require(DType.I64, "longs")];
        bytes().asLongBuffer().get(values);
        return values;
    }

    /**
     * The elements as float32: wider ones rounded to the nearest, narrower ones exact.
     *
     * @throws IllegalStateException if they are not floating-point numbers
     */
    public float[] toFloats() {
        float[] values = new float[size()];
        ByteBuffer bytes = bytes();
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (dtype) {
                case F32 -> bytes.getFloat(4 * i);
                case F64 -> (float) bytes.getDouble(8 * i);
                case F16 -> halfToFloat(bytes.getShort(2 * i));
                case BF16 -> Float.intBitsToFloat(bytes.getShort(2 * i) << 16);
                default ->
                    throw new IllegalStateException(
                            "toFloats(): expected F32, F64, F16 or BF16, found " + dtype + "; ask dtype() first");
            };
        }
        return values;
    }

    /** IEEE 754's binary16: 1 sign bit, 5 of exponent, 10 of fraction. The JDK has this from 20 on. */
    private static float halfToFloat(short half) {
        int exponent = (half >> 10) & 0x1f;
        int fraction = half & 0x3ff;
        float magnitude;
        if (exponent == 0) magnitude = fraction * 0x1p-24f;
        else if (exponent == 31) magnitude = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
        else magnitude = Float.intBitsToFloat((exponent + 112) << 23 | fraction << 13);
        return half < 0 ? -magnitude : magnitude;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NdArray that
                && dtype == that.dtype
                && Arrays.equals(shape, that.shape)
                && Arrays.equals(data, that.data);
    }

    @Override
    public int hashCode() {
        return Objects.hash(dtype, Arrays.hashCode(shape), Arrays.hashCode(data));
    }

    @Override
    public String toString() {
        return dtype + " " + Arrays.toString(shape);
    }

    /** How many elements of a type fit into one array. */
    public static int most(DType dtype) {
        return MOST_BYTES / dtype.bytes();
    }

    /**
     * The product of the extents; 1 without any.
     *
     * @throws IllegalArgumentException if one is negative or has more than 18 digits, or if there are more than {@link #MAX_RANK}
     * @throws ArithmeticException if it is larger than a long
     */
    public static long elements(long[] shape) {
        if (shape.length > MAX_RANK) {
            throw new IllegalArgumentException("expected at most " + MAX_RANK + " axes, found " + shape.length);
        }
        long product = 1;
        for (long extent : shape) {
            if (extent < 0 || extent > MAX_EXTENT) {
                throw new IllegalArgumentException(
                        "expected extents from 0 to " + MAX_EXTENT + ", found " + Arrays.toString(shape));
            }
            product = Math.multiplyExact(product, extent);
        }
        return product;
    }

    private static byte[] allocate(DType dtype, int values, long[] shape) {
        if (elements(shape) != values) {
            throw new IllegalArgumentException("expected " + elements(shape) + " values for the shape "
                    + Arrays.toString(shape) + ", found " + values);
        }
        requireRoom(dtype, values);
        return new byte[values * dtype.bytes()];
    }

    static void requireRoom(DType dtype, int values) {
        if (values > most(dtype)) {
            throw new IllegalArgumentException("an array holds at most " + MOST_BYTES + " bytes, which are "
                    + most(dtype) + " values of " + dtype + ", but there are " + values + ". Split it.");
        }
    }

    private static ByteBuffer view(byte[] data) {
        return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    }

    private int require(DType wanted, String accessor) {
        if (dtype != wanted) {
            throw new IllegalStateException(
                    accessor + "(): expected " + wanted + ", found " + dtype + "; ask dtype() first");
        }
        return size();
    }
}
