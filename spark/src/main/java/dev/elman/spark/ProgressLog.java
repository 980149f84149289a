package dev.elman.spark;

import java.util.HashMap;
import java.util.Map;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.jdk.javaapi.CollectionConverters;

/** Writes a line into the driver's log whenever a heartbeat brings a new epoch of a fit. */
final class ProgressLog extends SparkListener {
    private static final Logger LOG = LoggerFactory.getLogger(ElmanClassifier.class);

    private final int epochs;
    private double last;

    ProgressLog(int epochs) {
        this.epochs = epochs;
    }

    @Override
    public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
        CollectionConverters.asJava(update.accumUpdates()).forEach(task -> {
            Map<String, Double> values = new HashMap<>();
            for (AccumulableInfo info : CollectionConverters.asJava(task._4())) {
                if (info.name().isDefined()
                        && info.update().isDefined()
                        && info.update().get() instanceof Double value) {
                    values.put(info.name().get(), value);
                }
            }
            report(values);
        });
    }

    private synchronized void report(Map<String, Double> values) {
        double epoch = values.getOrDefault(FitMetrics.EPOCH, 0.0);
        if (!(epoch > last)) return;
        last = epoch;
        LOG.info(
                "epoch {} of {}: loss {}, {} rows/s, {} % of the time in exchange",
                (int) epoch,
                epochs,
                values.get(FitMetrics.LOSS),
                Math.round(values.getOrDefault(FitMetrics.ROWS_PER_SECOND, 0.0)),
                Math.round(100 * values.getOrDefault(FitMetrics.EXCHANGE_SHARE, 0.0)));
    }
}
