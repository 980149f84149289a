package dev.elman.io.numpy;

import dev.elman.io.AtomicFile;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.WholeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * One array in NumPy's own format, as {@code numpy.save} and {@code numpy.load} have it: little or big endian, C or Fortran
 * order, booleans, whole numbers and floats of the widths that {@link dev.elman.io.DType} lists.
 *
 * <p>Format: <a href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">numpy.lib.format</a>.
 */
public final class Npy {
    private Npy() {}

    /**
     * Reads an array; the answer is in C order, whatever the file's is.
     *
     * @throws ModelFileException if the file is missing, damaged, or holds something else than numbers
     */
    public static NdArray read(Path file) throws IOException {
        return parse(file, "", WholeFile.read(file));
    }

    /**
     * Writes an array, little endian and in C order, whole or not at all.
     *
     * @throws ModelFileException if that fails; an old file of that name is then as it was
     * @throws IllegalArgumentException if NumPy has no such type (BF16)
     */
    public static void write(NdArray array, Path file) throws IOException {
        byte[] bytes = bytes(array);
        AtomicFile.replace(file, out -> out.write(bytes));
    }

    /**
     * An array from the bytes of a file, or of a member of one, whose name and a colon are then {@code where}. Big-endian
     * numbers are turned round in {@code bytes}, so that the array is the only copy.
     */
    static NdArray parse(Path file, String where, byte[] bytes) throws ModelFileException {
        NpyHeader header = NpyHeaderParser.parse(file, where, bytes);
        int width = header.dtype().bytes();
        long expected;
        try {
            expected = Math.multiplyExact(NdArray.elements(header.shape()), width);
        } catch (ArithmeticException e) {
            throw NpyHeaderParser.damaged(
                    file, where + "shape", "less than 2^63 bytes", Arrays.toString(header.shape()));
        }
        int found = bytes.length - header.length();
        if (expected != found) {
            throw NpyHeaderParser.damaged(
                    file,
                    where + "data from byte " + header.length(),
                    expected + " bytes for " + header.dtype() + " " + Arrays.toString(header.shape()),
                    Integer.toString(found));
        }
        if (header.bigEndian()) reverseEach(bytes, header.length(), width);
        ByteBuffer data = ByteBuffer.wrap(bytes, header.length(), found);
        return header.fortranOrder()
                ? NdArray.ofFortranBytes(header.dtype(), data, header.shape())
                : NdArray.ofBytes(header.dtype(), data, header.shape());
    }

    static byte[] bytes(NdArray array) {
        byte[] header = NpyHeader.bytes(array.dtype(), array.shape());
        ByteBuffer data = array.bytes();
        return ByteBuffer.allocate(Math.addExact(header.length, data.remaining()))
                .put(header)
                .put(data)
                .array();
    }

    private static void reverseEach(byte[] data, int begin, int width) {
        for (int at = begin; at < data.length; at += width) {
            for (int low = at, high = at + width - 1; low < high; low++, high--) {
                byte kept = data[low];
                data[low] = data[high];
                data[high] = kept;
            }
        }
    }
}
