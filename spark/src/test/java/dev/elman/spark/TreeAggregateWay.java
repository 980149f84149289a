package dev.elman.spark;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.train.Callback;
import dev.elman.train.LocalTraining;
import dev.elman.train.SimpleRnnClassifier;
import java.io.Serializable;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.storage.StorageLevel;

/**
 * How MLlib trains, with our network: a job for every step, which broadcasts the weights and brings the gradients together
 * with treeAggregate; the driver moves the weights.
 */
final class TreeAggregateWay {
    private TreeAggregateWay() {}

    /** A gradient's sum over rows, what it weighs, and how long it took. */
    private static final class Gradient implements Serializable {
        private static final long serialVersionUID = 1L;

        private double[] sum = new double[0];
        private double rows;
        private double seconds;

        Gradient add(Gradient other) {
            if (sum.length == 0) sum = new double[other.sum.length];
            for (int i = 0; i < other.sum.length; i++) sum[i] += other.sum[i];
            rows += other.rows;
            seconds += other.seconds;
            return this;
        }
    }

    /**
     * One epoch of plain SGD without clipping; returns {rows per second, share of the time not spent on gradients}.
     *
     * @param settings with sgd; its rate serves to read the gradient from a step
     */
    static double[] epoch(JavaSparkContext context, Table table, FitSettings settings) {
        Broadcast<BatchOrder> order = context.broadcast(BatchOrder.of(table, settings));
        JavaRDD<EpochShares> shares =
                AverageFit.shares(table, settings, 1, order).persist(StorageLevel.MEMORY_AND_DISK());
        shares.count();
        float[] weights;
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, settings.config());
                LocalTraining training = new LocalTraining(model, settings.trainer(new Callback() {}), 1)) {
            weights = training.state();
        }
        long began = 0;
        double computing = 0;
        for (int batch = -1; batch < settings.batches(); batch++) {
            if (batch == 0) began = System.nanoTime(); // the one before warms up, as the ring's first epoch does
            int index = Math.max(0, batch);
            Broadcast<float[]> from = context.broadcast(weights);
            Gradient gradient = shares.treeAggregate(
                    new Gradient(),
                    (sum, mine) -> sum.add(gradient(settings, mine, index, from.value())),
                    Gradient::add);
            from.destroy();
            for (int i = 0; i < weights.length; i++) {
                weights[i] -= (float) (settings.stepSize() * gradient.sum[i] / gradient.rows);
            }
            if (batch >= 0) computing += gradient.seconds / settings.workers();
        }
        double seconds = (System.nanoTime() - began) * 1e-9;
        shares.unpersist();
        return new double[] {settings.rows() / seconds, 1 - computing / seconds};
    }

    private static Gradient gradient(FitSettings settings, EpochShares shares, int batch, float[] weights) {
        return DeviceThreads.call(
                "tree worker " + TaskContext.getPartitionId(),
                Placement.ofTask(),
                opened -> new AverageTask.Worker(opened, settings),
                worker -> {
                    long began = System.nanoTime();
                    worker.training().restore(weights, batch);
                    worker.training().step(settings.data(shares.rows(batch)), shares.firstRow(batch));
                    float[] moved = worker.training().state();
                    Gradient gradient = new Gradient();
                    gradient.rows = shares.rows(batch).size();
                    gradient.sum = new double[moved.length];
                    for (int i = 0; i < moved.length; i++) {
                        gradient.sum[i] = gradient.rows * (weights[i] - moved[i]) / settings.stepSize();
                    }
                    gradient.seconds = (System.nanoTime() - began) * 1e-9;
                    return gradient;
                });
    }
}
