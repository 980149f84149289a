package dev.elman.spark;

import dev.elman.train.SequenceInput;
import dev.elman.train.TrainingData;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The whole table as one worker sees it: of every row the length, the label and the weight, 8 or 12 bytes, and of the rows
 * of its shares the content.
 */
final class RowStore {
    private static final int BYTES = 16;

    private final int[][] ids;
    private final float[][][] steps;
    private final TrainingData data;

    /** @param described what {@link #describe} gave on each worker */
    RowStore(FitSettings settings, byte[][] described) {
        int rows = settings.rows();
        int[] lengths = new int[rows];
        int[] labels = new int[rows];
        float[] weights = settings.weighted() ? new float[rows] : null;
        for (byte[] part : described) {
            ByteBuffer buffer = ByteBuffer.wrap(part);
            while (buffer.hasRemaining()) {
                int number = buffer.getInt();
                lengths[number] = buffer.getInt();
                labels[number] = buffer.getInt();
                float weight = buffer.getFloat();
                if (weights != null) weights[number] = weight;
            }
        }
        ids = settings.tokens() ? new int[rows][] : null;
        steps = settings.tokens() ? null : new float[rows][][];
        SequenceInput input =
                settings.tokens() ? SequenceInput.tokens(ids, lengths) : SequenceInput.features(steps, lengths);
        data = new TrainingData(input, labels, weights);
    }

    /** Number, length, label and weight of each row that a worker holds, for all others. */
    static byte[] describe(int[] numbers, byte[][] held) {
        ByteBuffer buffer = ByteBuffer.allocate(Math.multiplyExact(BYTES, numbers.length));
        for (int i = 0; i < numbers.length; i++) {
            buffer.putInt(numbers[i])
                    .putInt(RowBytes.length(held[i]))
                    .putInt(RowBytes.label(held[i]))
                    .putFloat(RowBytes.weight(held[i]));
        }
        return buffer.array();
    }

    int rows() {
        return data.input().rows();
    }

    TrainingData data() {
        return data;
    }

    void clear() {
        Arrays.fill(ids == null ? steps : ids, null);
    }

    void put(int number, byte[] row) {
        if (ids != null) ids[number] = RowBytes.tokens(row);
        else steps[number] = RowBytes.steps(row);
    }
}
