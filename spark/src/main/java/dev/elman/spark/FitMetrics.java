package dev.elman.spark;

import java.io.Serializable;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.util.DoubleAccumulator;
import org.apache.spark.util.LongAccumulator;

/** A fit's progress as accumulators: Spark's UI shows them on the stage's page while it runs. */
final class FitMetrics implements Serializable {
    private static final long serialVersionUID = 1L;

    static final String EPOCH = "elman epoch";
    static final String LOSS = "elman loss";
    static final String ACCURACY = "elman accuracy";
    static final String ROWS_PER_SECOND = "elman rows/s";
    static final String EXCHANGE_SHARE = "elman exchange, share of time";

    final LatestValue epoch = new LatestValue();
    final LatestValue loss = new LatestValue();
    final LatestValue accuracy = new LatestValue();
    final LatestValue rowsPerSecond = new LatestValue();
    final LatestValue exchangeShare = new LatestValue();
    final LongAccumulator rows;
    final DoubleAccumulator exchangeSeconds;

    FitMetrics(SparkContext context) {
        context.register(epoch, EPOCH);
        context.register(loss, LOSS);
        context.register(accuracy, ACCURACY);
        context.register(rowsPerSecond, ROWS_PER_SECOND);
        context.register(exchangeShare, EXCHANGE_SHARE);
        rows = context.longAccumulator("elman rows");
        exchangeSeconds = context.doubleAccumulator("elman exchange, s");
    }

    void set(EpochSummary summary) {
        epoch.add((double) summary.epoch());
        loss.add(summary.loss());
        accuracy.add(summary.accuracy());
        rowsPerSecond.add(summary.rowsPerSecond());
        exchangeShare.add(summary.exchangeShare());
    }

    /** What a task has set, by the accumulators' ids; null when it has set nothing. */
    EpochSummary summary(Map<Long, Double> values) {
        double told = of(epoch, values);
        if (Double.isNaN(told)) return null;
        return new EpochSummary(
                (int) told,
                of(loss, values),
                of(accuracy, values),
                of(rowsPerSecond, values),
                of(exchangeShare, values));
    }

    private static double of(LatestValue one, Map<Long, Double> values) {
        return values.getOrDefault(one.id(), Double.NaN);
    }
}
