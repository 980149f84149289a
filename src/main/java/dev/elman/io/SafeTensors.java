package dev.elman.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The contents of a safetensors file (the format's own README is its specification): tensors by name and metadata.
 *
 * @param tensors in the order of the file's header
 * @param metadata free strings
 */
public record SafeTensors(Map<String, Entry> tensors, Map<String, String> metadata) {
    public SafeTensors {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /**
     * One tensor, row-major.
     *
     * @param dtype type of its elements
     * @param shape its extents, outermost first; none for a single number
     * @param data its elements, little-endian, from position to limit; not to be changed
     */
    public record Entry(DType dtype, List<Integer> shape, ByteBuffer data) {
        public Entry {
            shape = List.copyOf(shape);
            data = data.slice().order(ByteOrder.LITTLE_ENDIAN);
            long size = dtype.bytes();
            for (int extent : shape) size = Math.multiplyExact(size, (long) extent);
            if (size != data.remaining()) {
                throw new IllegalArgumentException(
                        dtype + " " + shape + " takes " + size + " bytes, but there are " + data.remaining() + ".");
            }
        }

        /** A float32 tensor. */
        public static Entry of(List<Integer> shape, float... values) {
            ByteBuffer data = allocate(DType.F32, values.length);
            data.asFloatBuffer().put(values);
            return new Entry(DType.F32, shape, data);
        }

        /** A float64 tensor. */
        public static Entry of(List<Integer> shape, double... values) {
            ByteBuffer data = allocate(DType.F64, values.length);
            data.asDoubleBuffer().put(values);
            return new Entry(DType.F64, shape, data);
        }

        /** An int32 tensor. */
        public static Entry of(List<Integer> shape, int... values) {
            ByteBuffer data = allocate(DType.I32, values.length);
            data.asIntBuffer().put(values);
            return new Entry(DType.I32, shape, data);
        }

        private static ByteBuffer allocate(DType dtype, int count) {
            return ByteBuffer.allocate(Math.multiplyExact(dtype.bytes(), count)).order(ByteOrder.LITTLE_ENDIAN);
        }

        /** The elements of an F32 tensor; throws {@link IllegalStateException} on another type. */
        public float[] floats() {
            require(DType.F32);
            float[] values = new float[data.remaining() / DType.F32.bytes()];
            data.asFloatBuffer().get(values);
            return values;
        }

        /** The elements of an F32 or F64 tensor; throws {@link IllegalStateException} on another type. */
        public double[] doubles() {
            if (dtype == DType.F32) {
                float[] narrow = floats();
                double[] values = new double[narrow.length];
                Arrays.setAll(values, i -> narrow[i]);
                return values;
            }
            require(DType.F64);
            double[] values = new double[data.remaining() / DType.F64.bytes()];
            data.asDoubleBuffer().get(values);
            return values;
        }

        /** The elements of an I32 tensor; throws {@link IllegalStateException} on another type. */
        public int[] ints() {
            require(DType.I32);
            int[] values = new int[data.remaining() / DType.I32.bytes()];
            data.asIntBuffer().get(values);
            return values;
        }

        private void require(DType wanted) {
            if (dtype != wanted) throw new IllegalStateException("This tensor is " + dtype + ", not " + wanted + ".");
        }
    }

    /**
     * Reads a file and checks all of it: lengths, types, offsets without hole or overlap, names that come once.
     *
     * @throws ModelFileException when it is not a safetensors file
     */
    public static SafeTensors read(Path file) throws IOException {
        return SafeTensorsReader.read(file);
    }

    /**
     * Writes a file: first beside it under another name, then moved over it in one step, so that whoever looks sees the old
     * one or the new one. When that fails the old one is as it was and nothing else is left.
     */
    public void write(Path file) throws IOException {
        SafeTensorsWriter.write(this, file, SafeTensorsWriter::open);
    }
}
