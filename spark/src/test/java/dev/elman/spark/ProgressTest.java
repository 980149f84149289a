package dev.elman.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the driver's log and Spark's UI are told of a fit. */
class ProgressTest {
    private static final Rows ROWS = new Rows(101, 1);
    private static SparkSession spark;

    @BeforeAll
    static void start() {
        spark = Rows.local().config("spark.executor.heartbeatInterval", "100ms").getOrCreate();
    }

    @AfterAll
    static void stop() {
        spark.stop();
    }

    private static final AtomicReference<LogLines> LOG = new AtomicReference<>();
    private static final String LINE =
            "INFO epoch %s of 3: loss [\\d.E-]+, \\d+ rows/s, \\d+ %% of the time in exchange";

    private static void awaitLine(String pattern) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (LOG.get().matching(pattern).isEmpty()) {
            if (System.nanoTime() > deadline) throw new IllegalStateException("no line " + pattern);
            LockSupport.parkNanos(10_000_000);
        }
    }

    /** Of the first epoch by a heartbeat, while the workers wait; of the last by what the fit gives. */
    @Test
    void theLogTellsOfEpochsAndOfWhatALostWorkerCosts() throws Exception {
        ProgressLog ofAnother = new ProgressLog(99, new FitMetrics(spark.sparkContext()));
        spark.sparkContext().addSparkListener(ofAnother);
        try (LogLines log = new LogLines()) {
            LOG.set(log);
            Rows.classifier(2)
                    .onEpoch((worker, epoch) -> {
                        if (epoch == 2) awaitLine(String.format(LINE, 1));
                    })
                    .fit(ROWS.table(spark, 2));
            List<String> epochs = log.matching(String.format(LINE, "\\d"));
            assertTrue(epochs.get(0).contains("epoch 1") && epochs.size() <= 3, epochs.toString());
            assertTrue(epochs.get(epochs.size() - 1).contains("epoch 3"), epochs.toString());
            List<String> warnings = log.matching("WARN ALLREDUCE without checkpointDir: .* up to 3, .*");
            assertEquals(1, warnings.size());
            assertEquals(1 + epochs.size(), log.matching(".*").size(), "nothing of another fit");
        } finally {
            spark.sparkContext().removeSparkListener(ofAnother);
        }
    }

    /** Stages come and go: each shows the epoch before. */
    @Test
    void averagingTellsOfItsEpochsToo() throws Exception {
        Map<String, Object> shown = new ConcurrentHashMap<>();
        SparkListener listener = Rows.accumulators(shown);
        spark.sparkContext().addSparkListener(listener);
        try (LogLines log = new LogLines()) {
            ElmanClassificationModel model =
                    Rows.classifier(2).setSyncMode("AVERAGE(4)").fit(ROWS.table(spark, 2));
            for (int epoch = 1; epoch <= 3; epoch++) {
                assertEquals(1, log.matching(String.format(LINE, epoch)).size());
            }
            spark.sparkContext().listenerBus().waitUntilEmpty();
            EpochSummary before = model.summary().orElseThrow().epochs().get(1);
            assertEquals(2.0, shown.get(FitMetrics.EPOCH));
            assertEquals(before.loss(), shown.get(FitMetrics.LOSS));
            assertEquals(before.exchangeShare(), shown.get(FitMetrics.EXCHANGE_SHARE));
            assertEquals(3L * 101, shown.get("elman rows"));
        } finally {
            spark.sparkContext().removeSparkListener(listener);
        }
    }
}
