package dev.elman.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The contents of a safetensors file: arrays by name, and strings by name. Immutable; the maps keep their order.
 *
 * <p>Format: <a href="https://github.com/huggingface/safetensors#format">github.com/huggingface/safetensors</a>. Python
 * opens the file with {@code safetensors.torch.load_file}.
 *
 * @param metadata what the file's {@code __metadata__} holds; empty when it has none
 */
public record SafeTensors(Map<String, Entry> tensors, Map<String, String> metadata) {

    /** @throws IllegalArgumentException if a name cannot be written: reserved, or not Unicode text */
    public SafeTensors {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        tensors.forEach((name, entry) -> {
            requireText(name, "tensor name");
            Objects.requireNonNull(entry, name);
            if (name.equals(SafeTensorsHeader.METADATA)) {
                throw new IllegalArgumentException("tensor name: " + name + " is the metadata's; choose another");
            }
        });
        metadata.forEach((key, value) -> {
            requireText(key, "metadata key");
            requireText(value, "metadata value");
        });
    }

    /**
     * Reads the whole file into memory and checks all of it.
     *
     * @throws ModelFileException if the file is missing, cannot be read, is no safetensors file or is damaged
     */
    public static SafeTensors read(Path file) throws IOException {
        return new SafeTensorsReader(file).read();
    }

    /**
     * Writes the file whole or not at all: an old file of that name is replaced in one step, and only once the new one is
     * on the disk. Equal contents in equal order give equal bytes.
     *
     * @throws ModelFileException if that fails; the old file is then as it was, and nothing is left behind
     */
    public void write(Path file) throws IOException {
        SafeTensorsWriter.write(this, file, AtomicFile.DISK);
    }

    static boolean isText(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    private static void requireText(String text, String what) {
        if (!isText(text)) {
            throw new IllegalArgumentException(what + ": a half surrogate pair cannot be written as UTF-8");
        }
    }

    /** One array: element type, extents (none for a scalar, 0 allowed), elements in C order. Immutable. */
    public static final class Entry {
        private final DType dtype;
        private final long[] shape;
        private final byte[] data;

        /** Takes the arrays as they are, without a copy. */
        Entry(DType dtype, long[] shape, byte[] data) {
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
        public static Entry ofFloats(float[] values, long... shape) {
            byte[] data = allocate(DType.F32, values.length, shape);
            view(data).asFloatBuffer().put(values);
            return new Entry(DType.F32, shape.clone(), data);
        }

        /** An F64 array; {@code shape} must have as many elements as there are values. */
        public static Entry ofDoubles(double[] values, long... shape) {
            byte[] data = allocate(DType.F64, values.length, shape);
            view(data).asDoubleBuffer().put(values);
            return new Entry(DType.F64, shape.clone(), data);
        }

        /** An I32 array; {@code shape} must have as many elements as there are values. */
        public static Entry ofInts(int[] values, long... shape) {
            byte[] data = allocate(DType.I32, values.length, shape);
            view(data).asIntBuffer().put(values);
            return new Entry(DType.I32, shape.clone(), data);
        }

        /** An I64 array; {@code shape} must have as many elements as there are values. */
        public static Entry ofLongs(long[] values, long... shape) {
            byte[] data = allocate(DType.I64, values.length, shape);
            view(data).asLongBuffer().put(values);
            return new Entry(DType.I64, shape.clone(), data);
        }

        /** An array of any type from its little-endian bytes. */
        public static Entry ofBytes(DType dtype, byte[] bytes, long... shape) {
            return new Entry(dtype, shape.clone(), bytes.clone());
        }

        public DType dtype() {
            return dtype;
        }

        public long[] shape() {
            return shape.clone();
        }

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

        /** A copy of the elements. @throws IllegalStateException if the type is not F32 */
        public float[] floats() {
            float[] values = new float[require(DType.F32, "floats")];
            bytes().asFloatBuffer().get(values);
            return values;
        }

        /** A copy of the elements. @throws IllegalStateException if the type is not F64 */
        public double[] doubles() {
            double[] values = new double[require(DType.F64, "doubles")];
            bytes().asDoubleBuffer().get(values);
            return values;
        }

        /** A copy of the elements. @throws IllegalStateException if the type is not I32 */
        public int[] ints() {
            int[] values = new int[require(DType.I32, "ints")];
            bytes().asIntBuffer().get(values);
            return values;
        }

        /** A copy of the elements. @throws IllegalStateException if the type is not I64 */
        public long[] longs() {
            long[] values = new long[require(DType.I64, "longs")];
            bytes().asLongBuffer().get(values);
            return values;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Entry that
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

        /** The product of the extents. @throws ArithmeticException if it is larger than a long */
        static long elements(long[] shape) {
            long product = 1;
            for (long extent : shape) {
                if (extent < 0) {
                    throw new IllegalArgumentException(
                            "expected extents of at least 0, found " + Arrays.toString(shape));
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
            return new byte[Math.multiplyExact(values, dtype.bytes())];
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
}
