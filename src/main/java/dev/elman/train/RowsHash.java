package dev.elman.train;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A number that stands for rows with their lengths. Sums of powers, as {@link java.util.Arrays} makes them, are the same for
 * too much that is alike: where the end of a row and the last but one of the next change places, for one.
 */
final class RowsHash {
    private final CRC32C sum = new CRC32C();
    private final ByteBuffer pending = ByteBuffer.allocate(8192);

    private RowsHash() {}

    static long of(int[] row) {
        RowsHash hash = new RowsHash();
        hash.add(row);
        return hash.value();
    }

    /** @param row null where there is none */
    static long of(float[] row) {
        RowsHash hash = new RowsHash();
        if (row != null) hash.add(row);
        return hash.value();
    }

    static long of(int[][] rows) {
        RowsHash hash = new RowsHash();
        for (int[] row : rows) hash.add(row);
        return hash.value();
    }

    static long of(float[][][] rows) {
        RowsHash hash = new RowsHash();
        for (float[][] row : rows) {
            hash.add(row.length);
            for (float[] step : row) hash.add(step);
        }
        return hash.value();
    }

    private void add(int[] row) {
        add(row.length);
        for (int value : row) add(value);
    }

    private void add(float[] row) {
        add(row.length);
        for (float value : row) add(Float.floatToIntBits(value));
    }

    private void add(int value) {
        if (!pending.hasRemaining()) flush();
        pending.putInt(value);
    }

    private void flush() {
        sum.update(pending.flip());
        pending.clear();
    }

    private long value() {
        flush();
        return sum.getValue();
    }
}
