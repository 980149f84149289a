package dev.elman.spark;

import java.util.HashMap;
import java.util.Map;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.jdk.javaapi.CollectionConverters;

/** Writes a line into the driver's log for an epoch that is over, when a heartbeat brings it or the driver itself knows. */
final class ProgressLog extends SparkListener {
    private static final Logger LOG = LoggerFactory.getLogger(ElmanClassifier.class);

    private final int epochs;
    private final FitMetrics metrics;
    private int last;

    ProgressLog(int epochs, FitMetrics metrics) {
        this.epochs = epochs;
        this.metrics = metrics;
    }

    @Override
    public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
        CollectionConverters.asJava(update.accumUpdates()).forEach(task -> {
            // By id: another fit of this application has accumulators of the same names.
            Map<Long, Double> values = new HashMap<>();
            for (AccumulableInfo info : CollectionConverters.asJava(task._4())) {
                if (info.update().isDefined() && info.update().get() instanceof Double value) {
                    values.put(info.id(), value);
                }
            }
            EpochSummary told = metrics.summary(values);
            if (told != null) report(told);
        });
    }

    synchronized void report(EpochSummary epoch) {
        if (epoch.epoch() <= last) return;
        last = epoch.epoch();
        LOG.info(
                "epoch {} of {}: loss {}, {} rows/s, {} % of the time in exchange",
                last, epochs, epoch.loss(), Math.round(epoch.rowsPerSecond()), Math.round(100 * epoch.exchangeShare()));
    }
}
