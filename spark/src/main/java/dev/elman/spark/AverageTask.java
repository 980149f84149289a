package dev.elman.spark;

import dev.elman.train.Callback;
import dev.elman.train.LocalTraining;
import dev.elman.train.Metrics;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.TrainingData;
import java.io.Serializable;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;

/**
 * Some steps of one worker of a fit by AVERAGE. What comes out depends on nothing but the state and the rows that go in, so
 * Spark may run it again, anywhere.
 *
 * @param before the epoch before this one, which Spark's UI shows on the stage's page; null in the first
 */
record AverageTask(
        FitSettings settings,
        String fit,
        int firstBatch,
        int batches,
        long stepsBefore,
        FitMetrics metrics,
        EpochSummary before,
        WorkerHook hook)
        implements Serializable {

    Averaged run(EpochShares shares, float[] state) {
        int rank = TaskContext.getPartitionId();
        hook.begin(TaskContext.get(), (int) (stepsBefore / settings.batches()) + 1);
        if (rank == 0 && before != null) metrics.set(before);
        for (int batch = firstBatch; batch < firstBatch + batches; batch++) {
            metrics.rows.add(shares.rows(batch).size());
        }
        return learn(shares, state);
    }

    /** {@link #run}, of which nobody is told. */
    Averaged learn(EpochShares shares, float[] state) {
        int rank = TaskContext.getPartitionId();
        Placement placement = Placement.ofTask();
        return DeviceThreads.call(
                fit + " worker " + rank + " on " + placement,
                placement,
                opened -> new Worker(opened, settings),
                worker -> steps(worker, rank, shares, state));
    }

    private Averaged steps(Worker worker, int rank, EpochShares shares, float[] state) {
        long began = System.nanoTime();
        worker.training.restore(state, stepsBefore);
        double weight = 0;
        double loss = 0;
        double accuracy = 0;
        for (int batch = firstBatch; batch < firstBatch + batches; batch++) {
            List<byte[]> rows = shares.rows(batch);
            double mine = 0;
            for (byte[] row : rows) mine += settings.weighted() ? RowBytes.weight(row) : 1;
            TrainingData data = settings.data(rows);
            Metrics measured = worker.training.step(data, shares.firstRow(batch));
            weight += mine;
            loss += measured.loss() * mine;
            accuracy += measured.accuracy() * mine;
        }
        double seconds = (System.nanoTime() - began) * 1e-9;
        String device = "executor " + SparkEnv.get().executorId() + ": " + worker.description;
        return new Averaged(weight, worker.training.state(), loss, accuracy, seconds, rank, device);
    }

    /** A model and the training of it. */
    static final class Worker implements AutoCloseable {
        private final SimpleRnnClassifier model;
        private final LocalTraining training;
        private final String description;

        Worker(Placement.Opened opened, FitSettings settings) {
            model = SimpleRnnClassifier.zeros(opened.backend(), settings.config()); // a state follows before each step
            training = new LocalTraining(
                    model, settings.trainer(new Callback() {}), (long) settings.batches() * settings.epochs());
            description = opened.description();
        }

        LocalTraining training() {
            return training;
        }

        @Override
        public void close() {
            training.close();
            model.close();
        }
    }
}
