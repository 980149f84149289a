package dev.elman.spark;

import dev.elman.backend.Backend;
import dev.elman.train.SimpleRnnClassifier;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * Scores the rows of a partition as they stream by, a batch at a time, with the one model of this executor. No more rows
 * than a batch are held.
 *
 * @param raw whether to append log-probabilities
 * @param probability whether to append probabilities
 * @param prediction whether to append the class
 * @param thresholds of the classes, or null
 */
@SuppressWarnings("ArrayRecordComponent") // carried, never compared
record ScoreTask(
        Broadcast<byte[]> modelFile,
        String modelKey,
        RowReader reader,
        String version,
        boolean raw,
        boolean probability,
        boolean prediction,
        double[] thresholds)
        implements Serializable {
    private static final int BATCH_ROWS = 256;
    /** Of the rows' inputs: long rows make a smaller batch. */
    private static final int BATCH_BYTES = 16 << 20;

    Iterator<Row> score(Iterator<Row> rows) {
        ExecutorCheck.requireVersion(version);
        Placement placement = Placement.ofExecutor();
        return new Iterator<>() {
            private final Queue<Row> ready = new ArrayDeque<>();

            @Override
            public boolean hasNext() {
                return !ready.isEmpty() || rows.hasNext();
            }

            @Override
            public Row next() {
                if (ready.isEmpty()) {
                    List<Row> batch = new ArrayList<>();
                    List<byte[]> inputs = new ArrayList<>();
                    long bytes = 0;
                    while (batch.size() < BATCH_ROWS && bytes < BATCH_BYTES && rows.hasNext()) {
                        Row row = rows.next();
                        byte[] input = reader.read(row);
                        batch.add(row);
                        inputs.add(input);
                        bytes += input.length;
                    }
                    scoreBatch(batch, inputs, placement, ready);
                }
                return ready.remove();
            }
        };
    }

    private void scoreBatch(List<Row> batch, List<byte[]> inputs, Placement placement, Queue<Row> scored) {
        float[][] probabilities = DeviceThreads.call(
                "model " + modelKey,
                placement,
                opened -> load(opened.backend(), modelFile.value()),
                model -> model.predictProba(FitSettings.input(inputs, reader.tokens())));
        for (int n = 0; n < probabilities.length; n++) scored.add(append(batch.get(n), probabilities[n]));
    }

    static SimpleRnnClassifier load(Backend backend, byte[] file) throws IOException {
        return TempFiles.with(path -> SimpleRnnClassifier.load(backend, Files.write(path, file)));
    }

    private Row append(Row row, float[] p) {
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < row.size(); i++) values.add(row.get(i));
        if (raw) values.add(logs(p));
        if (probability) values.add(vector(p));
        if (prediction) values.add((double) predict(p, thresholds));
        return RowFactory.create(values.toArray());
    }

    private static Vector vector(float[] p) {
        double[] values = new double[p.length];
        for (int k = 0; k < p.length; k++) values[k] = p[k];
        return Vectors.dense(values);
    }

    private static Vector logs(float[] p) {
        double[] values = new double[p.length];
        for (int k = 0; k < p.length; k++) values[k] = Math.log(Math.max(p[k], Float.MIN_VALUE));
        return Vectors.dense(values);
    }

    /** The class whose probability is largest for its threshold, the first of equal ones; a threshold of 0 always wins. */
    static int predict(float[] p, double[] thresholds) {
        int best = 0;
        double most = Double.NEGATIVE_INFINITY;
        for (int k = 0; k < p.length; k++) {
            double scaled =
                    thresholds == null ? p[k] : thresholds[k] == 0 ? Double.POSITIVE_INFINITY : p[k] / thresholds[k];
            if (scaled > most) {
                most = scaled;
                best = k;
            }
        }
        return best;
    }
}
