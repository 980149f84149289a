package dev.elman.spark;

import java.nio.ByteBuffer;

/**
 * A checked row as bytes, as it is kept, sent and spilled: label, weight, number of steps, then token ids or the steps'
 * features one after the other, 4 bytes each.
 */
final class RowBytes {
    private static final int HEADER = 12;

    private RowBytes() {}

    static byte[] ofTokens(int label, float weight, int[] ids) {
        byte[] row = new byte[size(ids.length)];
        ByteBuffer buffer = ByteBuffer.wrap(row);
        buffer.putInt(label).putFloat(weight).putInt(ids.length);
        for (int id : ids) buffer.putInt(id);
        return row;
    }

    static byte[] ofSteps(int label, float weight, float[][] steps) {
        int features = steps.length == 0 ? 0 : steps[0].length;
        byte[] row = new byte[size((long) steps.length * features)];
        ByteBuffer buffer = ByteBuffer.wrap(row);
        buffer.putInt(label).putFloat(weight).putInt(steps.length);
        for (float[] step : steps) for (float value : step) buffer.putFloat(value);
        return row;
    }

    private static int size(long numbers) {
        return Math.toIntExact(HEADER + 4 * numbers);
    }

    static int label(byte[] row) {
        return ByteBuffer.wrap(row).getInt(0);
    }

    static float weight(byte[] row) {
        return ByteBuffer.wrap(row).getFloat(4);
    }

    static int length(byte[] row) {
        return ByteBuffer.wrap(row).getInt(8);
    }

    static int[] tokens(byte[] row) {
        int[] ids = new int[length(row)];
        ByteBuffer.wrap(row, HEADER, row.length - HEADER).asIntBuffer().get(ids);
        return ids;
    }

    static float[][] steps(byte[] row) {
        int length = length(row);
        int features = length == 0 ? 0 : (row.length - HEADER) / 4 / length;
        float[][] steps = new float[length][features];
        ByteBuffer buffer = ByteBuffer.wrap(row, HEADER, row.length - HEADER);
        for (float[] step : steps) for (int d = 0; d < features; d++) step[d] = buffer.getFloat();
        return steps;
    }

    /** The largest token id; -1 when there is none. */
    static int largestToken(byte[] row) {
        int largest = -1;
        for (int id : tokens(row)) largest = Math.max(largest, id);
        return largest;
    }

    /** Features of a step; -1 for a row without steps. */
    static int features(byte[] row) {
        int length = length(row);
        return length == 0 ? -1 : (row.length - HEADER) / 4 / length;
    }
}
